// SPDX-License-Identifier: Apache-2.0
// The one way to the server: JSON, and the token. The token comes once, after #token= of the address
// that the program printed; it is taken out of the address at once and kept for this tab alone. It
// travels in a header, never in a cookie: other servers on this machine's other ports would get that.

const kKey = "carnot-token";

function take_token(): string {
  const found = /[#&]token=([^&]+)/.exec(location.hash);
  if (found?.[1]) {
    sessionStorage.setItem(kKey, found[1]);
    history.replaceState(null, "", location.pathname + "#/now");
  }
  return sessionStorage.getItem(kKey) ?? "";
}

let token = take_token();

export function has_token(): boolean {
  return token !== "";
}

export function set_token(text: string): void {
  token = text.trim();
  sessionStorage.setItem(kKey, token);
}

/** What the server says is wrong: RFC 9457. */
export class Problem extends Error {
  constructor(readonly status: number, readonly lines: string[]) {
    super(lines.join("\n"));
  }
}

function headers(more: Record<string, string> = {}): Record<string, string> {
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function problem_of(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as { detail?: string; errors?: { detail: string }[] };
    const lines = body.errors?.map((e) => e.detail) ?? [body.detail ?? response.statusText];
    return new Problem(response.status, lines);
  } catch {
    return new Problem(response.status, [`the server answered ${response.status}`]);
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, { headers: headers(), ...(signal ? { signal } : {}) });
  if (!response.ok) throw await problem_of(response);
  return (await response.json()) as T;
}

export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  const response = await fetch(path, {
    method: "POST",
    headers: headers({ "Content-Type": "application/json" }),
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await problem_of(response);
  return (await response.json()) as T;
}

/** Saves what a path answers as a file of this name. */
export async function download(path: string, name: string): Promise<void> {
  const response = await fetch(path, { headers: headers() });
  if (!response.ok) throw await problem_of(response);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export interface ServerEvent { id: string; name: string; data: string }

/** One connection to a feed; ends when the server does. */
export async function follow(path: string, last: string, take: (event: ServerEvent) => void,
                             signal: AbortSignal): Promise<void> {
  const response = await fetch(path, {
    headers: headers(last ? { "Last-Event-ID": last } : {}),
    signal,
  });
  if (!response.ok || !response.body) throw await problem_of(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const event: ServerEvent = { id: "", name: "message", data: "" };
      for (const line of buffer.slice(0, end).split("\n")) {
        if (line.startsWith("id: ")) event.id = line.slice(4);
        if (line.startsWith("event: ")) event.name = line.slice(7);
        if (line.startsWith("data: ")) event.data += line.slice(6);
      }
      buffer = buffer.slice(end + 2);
      if (event.data) take(event);
    }
  }
}

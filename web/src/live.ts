// SPDX-License-Identifier: Apache-2.0
// The live feed, kept for as long as the page is open: numbers of the last hour for the drawing, the
// newest sample whole. After a cut it goes on from the last event it had: none twice, none left out.

import { follow, Problem } from "./api";
import type { LiveSample } from "./types";

const kKept = 3600;

export interface LiveState {
  at: number[]; // seconds since 1970, ends of intervals
  power: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  words: string[];
  unknown: boolean[];
  labels: string[]; // counted domains
  parts: (number | null)[][];
  last: LiveSample | null;
  samples: number; // since the page was opened
  status: "connecting" | "live" | "cut" | "locked";
  note: string;
}

export const live: LiveState = {
  at: [], power: [], low: [], high: [], words: [], unknown: [], labels: [], parts: [], last: null,
  samples: 0, status: "connecting", note: "",
};

const listeners = new Set<() => void>();
export function on_live(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let waiting = false;
function tell(): void {
  if (waiting) return;
  waiting = true;
  // A hidden page has no frames to draw in.
  const soon = document.hidden ? (f: () => void) => setTimeout(f, 200) : requestAnimationFrame;
  soon(() => {
    waiting = false;
    for (const listener of listeners) listener();
  });
}

function add(sample: LiveSample): void {
  live.samples += 1;
  live.last = sample;
  const counted = sample.domains.filter((d) => d.role === "counted");
  for (const domain of counted)
    if (!live.labels.includes(domain.label)) {
      live.labels.push(domain.label);
      live.parts.push(new Array<number | null>(live.at.length).fill(null));
    }
  live.at.push(Date.parse(sample.at) / 1000);
  live.power.push(sample.power_w.value);
  live.low.push(sample.power_w.low);
  live.high.push(sample.power_w.high);
  live.words.push(`${sample.power_w.text}, ${sample.power_w.range}`);
  live.unknown.push(sample.unknown.length > 0);
  live.labels.forEach((label, i) =>
    live.parts[i]?.push(counted.find((d) => d.label === label)?.power_w.value ?? null));
  if (live.at.length <= kKept) return;
  for (const list of [live.at, live.power, live.low, live.high, live.words, live.unknown, ...live.parts])
    list.shift();
}

let last_id = "";

async function once(signal: AbortSignal): Promise<void> {
  await follow("/api/v1/live?from=oldest", last_id, (event) => {
    if (event.name === "missed") {
      const { events } = JSON.parse(event.data) as { events: number | null };
      live.note = events === null
        ? "The server began anew: what it measured in between is in no figure here."
        : `${events} samples were missed while this page was not connected.`;
      return;
    }
    if (event.name !== "sample" || event.id === last_id) return;
    last_id = event.id;
    live.status = "live";
    add(JSON.parse(event.data) as LiveSample);
    tell();
  }, signal);
}

let running: AbortController | null = null;

export async function start_live(): Promise<void> {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  for (let wait = 500; !mine.signal.aborted; wait = Math.min(5000, wait * 1.5)) {
    const before = live.samples;
    try {
      await once(mine.signal);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        live.status = "locked";
        tell();
        return;
      }
    }
    if (live.samples > before) wait = 500;
    live.status = "cut";
    tell();
    await new Promise((done) => setTimeout(done, wait));
  }
}

// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "preact/hooks";
import { get } from "./api";
import { on_live } from "./live";

/** What a path answers; asked again when the path changes. */
export function useGet<T>(path: string | null): { data: T | null; error: unknown; busy: boolean } {
  const [state, set] = useState<{ data: T | null; error: unknown; path: string | null }>(
    { data: null, error: null, path: null });
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    get<T>(path, stop.signal)
      .then((data) => set({ data, error: null, path }))
      .catch((error: unknown) => { if (!stop.signal.aborted) set({ data: null, error, path }); });
    return () => stop.abort();
  }, [path]);
  const here = state.path === path && path !== null;
  return { data: here ? state.data : null, error: here ? state.error : null, busy: path !== null && !here };
}

/** Draws again with each live sample. */
export function useLive(): void {
  const [, set] = useState(0);
  useEffect(() => on_live(() => set((n) => n + 1)), []);
}

// SPDX-License-Identifier: Apache-2.0
// A figure as the document has it: its words, its interval drawn and written, and its origin.

import type { ComponentChildren } from "preact";
import type { Figure } from "./types";

/** low to high as a bar with a mark at the value, on a scale from 0 (or the lowest) to `most`. */
export function Interval({ low, value, high, most, least = 0 }:
    { low: number | null; value: number | null; high: number | null; most: number; least?: number }) {
  if (value === null) return null;
  const span = most - least || 1;
  const at = (x: number) => 1 + 98 * Math.min(1, Math.max(0, (x - least) / span));
  const from = at(low ?? value), to = at(high ?? value);
  return (
    <svg class="interval" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <line class="gridline" x1="1" x2="99" y1="5" y2="5" />
      {least < 0 && <line class="axis" x1={at(0)} x2={at(0)} y1="0" y2="10" />}
      <rect class="shade" x={from} width={Math.max(0.6, to - from)} y="2" height="6" />
      <rect class="f1" x={at(value) - 0.8} width="1.6" y="0" height="10" />
    </svg>
  );
}

export function Origin({ origin, boundary }: { origin: string; boundary?: string | undefined }) {
  return (
    <span class={`origin ${origin}`}>
      {origin}
      {boundary && boundary !== "none" ? `, ${boundary}` : ""}
    </span>
  );
}

/** In a table's cell. */
export function Cell({ figure, most }: { figure: Figure | null | undefined; most: number }) {
  if (!figure) return <span class="soft">–</span>;
  return (
    <span class="cell">
      <span data-figure>{figure.text}</span>
      {figure.range && <small data-figure>{figure.range}</small>}
      <Interval low={figure.low} value={figure.value} high={figure.high} most={most} />
    </span>
  );
}

/** Large, at the top of a page. */
export function Card({ label, figure, note, children }:
    { label: string; figure?: Figure | undefined; note?: string; children?: ComponentChildren }) {
  return (
    <div class="card">
      <span class="label">{label}</span>
      {figure && (
        <>
          <b data-figure>{figure.text}</b>
          <Interval low={figure.low} value={figure.value} high={figure.high}
            most={figure.high ?? figure.value ?? 1} />
          {figure.range && <small data-figure>{figure.range}</small>}
          <Origin origin={figure.origin} boundary={figure.boundary} />
        </>
      )}
      {children}
      {note && <small>{note}</small>}
    </div>
  );
}

export function greatest(figures: (Figure | null | undefined)[]): number {
  return Math.max(1e-30, ...figures.map((f) => f?.high ?? f?.value ?? 0));
}

export function Copy({ text, label = "copy" }: { text: string; label?: string }) {
  return (
    <button type="button" class="small" onClick={(event) => {
      const button = event.currentTarget;
      void navigator.clipboard.writeText(text).then(() => {
        button.textContent = "copied";
        setTimeout(() => { button.textContent = label; }, 1500);
      });
    }}>{label}</button>
  );
}

/** What went wrong, as the server says it. */
export function Trouble({ error }: { error: unknown }) {
  if (!error) return null;
  const text = error instanceof Error ? error.message : String(error);
  return <div class="warning" role="alert">{text.split("\n").map((line) => <p key={line}>{line}</p>)}</div>;
}

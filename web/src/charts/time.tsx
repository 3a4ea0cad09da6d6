// SPDX-License-Identifier: Apache-2.0
// Power over time: areas of the parts one on another, the total with its band, times of which
// something is unknown hatched. A slider to the keyboard and to screen readers, with a table beside.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

export interface TimeData {
  x: number[]; // seconds; of a clock if `clock`
  total: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  words: string[]; // of each point, with its interval
  unknown?: boolean[];
  parts: { label: string; values: (number | null)[] }[];
}

const kColours = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8"];

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "GrayText";
}

/** Sums from the first part on: what is drawn. */
function stacked(parts: TimeData["parts"], n: number): (number | null)[][] {
  const sum = new Array<number>(n).fill(0);
  return parts.map((part) => part.values.map((v, i) => {
    sum[i] = (sum[i] ?? 0) + (v ?? 0);
    return v === null ? null : sum[i]!;
  }));
}

function watts(v: number): string {
  const steps: [number, string][] = [[1e9, "GW"], [1e6, "MW"], [1e3, "kW"], [1, "W"], [1e-3, "mW"]];
  for (const [size, unit] of steps) if (Math.abs(v) >= size) return `${+(v / size).toPrecision(3)} ${unit}`;
  return v === 0 ? "0" : v.toPrecision(2);
}

function hatch(plot: uPlot, unknown: boolean[] | undefined): void {
  if (!unknown?.some(Boolean)) return;
  const { ctx, bbox } = plot;
  const xs = plot.data[0];
  ctx.save();
  ctx.beginPath();
  unknown.forEach((is, i) => {
    if (!is) return;
    const to = plot.valToPos(xs[i] ?? 0, "x", true);
    const from = plot.valToPos(xs[i - 1] ?? xs[i] ?? 0, "x", true);
    ctx.rect(from, bbox.top, to - from, bbox.height);
  });
  ctx.clip();
  ctx.strokeStyle = colour("--soft");
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let x = bbox.left - bbox.height; x < bbox.left + bbox.width; x += 8 * devicePixelRatio) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
}

function options(width: number, height: number, data: TimeData, clock: boolean,
                 pick: (i: number | null) => void): uPlot.Options {
  const steps = uPlot.paths.stepped!({ align: -1 }); // each value is the mean up to its time
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false }, font: "13px system-ui, sans-serif" };
  const parts = data.parts.length > 1 ? data.parts : [];
  const n = parts.length;
  const series: uPlot.Series[] = [{}];
  // The tallest sum first, so that lower ones are drawn over it.
  for (let i = n - 1; i >= 0; --i)
    series.push({ fill: colour(kColours[i % 8]!) + "66", stroke: colour(kColours[i % 8]!), width: 1,
      paths: steps, points: { show: false } });
  series.push({ stroke: colour("--edge"), dash: [2, 3], width: 1, paths: steps, points: { show: false } },
    { stroke: colour("--edge"), dash: [2, 3], width: 1, paths: steps, points: { show: false } },
    { stroke: colour("--ink"), width: 1.8, paths: steps, points: { show: false } });
  return {
    width, height, pxAlign: false, legend: { show: false },
    scales: { x: { time: clock }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.06 : 1] } },
    axes: [
      { ...axis, size: 28, space: 70, values: (_, at, __, ___, step) => at.map((s) => clock ? clock_text(s, step < 60) : `${+s.toPrecision(6)} s`) },
      { ...axis, size: 64, values: (_, at) => at.map(watts) },
    ],
    bands: [{ series: [n + 2, n + 1], fill: colour("--band") }],
    cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    series,
    hooks: {
      setCursor: [(plot) => pick(plot.cursor.idx ?? null)],
      draw: [(plot) => hatch(plot, data.unknown)],
    },
  };
}

function clock_text(s: number, seconds: boolean): string {
  return new Date(s * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false,
    ...(seconds ? { second: "2-digit" } : {}) });
}

function columns(data: TimeData): uPlot.AlignedData {
  const parts = data.parts.length > 1 ? stacked(data.parts, data.x.length).reverse() : [];
  return [data.x, ...parts, data.low, data.high, data.total] as uPlot.AlignedData;
}

function moment(x: number | undefined, clock: boolean): string {
  if (x === undefined) return "";
  return clock ? clock_text(x, true) : `${+x.toPrecision(6)} s`;
}

export function TimeChart({ data, clock, label }: { data: TimeData; clock: boolean; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const fresh = useRef(data);
  fresh.current = data;
  const [at, pick] = useState<number | null>(null);
  const [scheme, redraw] = useState(0);
  const id = useId();
  const shape = data.parts.map((p) => p.label).join("\n");

  useEffect(() => {
    const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((q) => matchMedia(q));
    const change = () => redraw((n) => n + 1);
    for (const q of queries) q.addEventListener("change", change);
    return () => { for (const q of queries) q.removeEventListener("change", change); };
  }, []);
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const height = Math.min(280, Math.max(180, innerHeight * 0.34));
    const made = new uPlot(options(host.clientWidth, height, fresh.current, clock, pick),
      columns(fresh.current), host);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: host.clientWidth, height }));
    watch.observe(host);
    return () => { watch.disconnect(); made.destroy(); plot.current = null; };
  }, [shape, clock, scheme]);
  useEffect(() => { plot.current?.setData(columns(data)); });

  const last = data.x.length - 1;
  const now = Math.min(at ?? last, last);
  const move = (to: number) => {
    const i = Math.max(0, Math.min(last, to));
    const u = plot.current;
    if (u) u.setCursor({ left: u.valToPos(data.x[i] ?? 0, "x"), top: u.bbox.height / 2 / devicePixelRatio });
    pick(i);
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -20, PageUp: 20 }[event.key];
    if (step !== undefined) move(now + step);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(last);
    else return;
    event.preventDefault();
  };
  const words = data.words[now] ?? "nothing yet";
  return (
    <figure class="chart">
      <div ref={box} class="plot" role="slider" tabIndex={0} aria-label={label} aria-orientation="horizontal"
        aria-valuemin={0} aria-valuemax={Math.max(0, last)} aria-valuenow={Math.max(0, now)}
        aria-valuetext={`${moment(data.x[now], clock)}: ${words}`} aria-describedby={id} onKeyDown={key} />
      <output class="readout">
        <span>{moment(data.x[now], clock)}</span> <b data-figure>{words}</b>
      </output>
      <figcaption id={id}>
        {data.parts.length > 1 && (
          <span class="legend">
            {data.parts.map((p, i) => <span key={p.label}><i class={`key f${(i % 8) + 1}`} />{p.label}</span>)}
          </span>
        )}
        <span class="legend"><span><i class="key line" />total</span><span><i class="key band" />90 % interval</span>
          {data.unknown?.some(Boolean) && <span><i class="key hatched" />something unknown</span>}</span>
      </figcaption>
      <Table data={data} clock={clock} label={label} />
    </figure>
  );
}

/** The same as a table, at most 60 rows of it, made when it is opened. */
function Table({ data, clock, label }: { data: TimeData; clock: boolean; label: string }) {
  const [open, set] = useState(false);
  const step = Math.max(1, Math.ceil(data.x.length / 60));
  const rows: number[] = [];
  if (open) for (let i = data.x.length - 1; i >= 0; i -= step) rows.push(i);
  return (
    <details onToggle={(e) => set(e.currentTarget.open)}>
      <summary>as a table</summary>
      {open && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`${label}, table`}>
          <table>
            <thead><tr><th scope="col">{clock ? "time" : "from the start"}</th>
              <th scope="col" class="n">power and its 90 % interval</th></tr></thead>
            <tbody>{rows.map((i) => (
              <tr key={data.x[i]}><th scope="row">{moment(data.x[i], clock)}</th>
                <td class="n" data-figure>{data.words[i]}</td></tr>))}</tbody>
          </table>
        </div>
      )}
    </details>
  );
}

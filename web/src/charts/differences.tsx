// SPDX-License-Identifier: Apache-2.0
// Differences with their intervals around zero, and quality over joules with the Pareto line.

import type { Comparison, Difference, RunRow } from "../types";
import { Interval } from "../figure";

export const kQuantities: Record<string, string> = { energy_j: "energy", carbon_g: "carbon", cost_eur: "cost" };

function row_name(row: RunRow | undefined): string {
  return row ? row.subject ?? row.name : "";
}

function Line({ d, most }: { d: Difference; most: number }) {
  const f = d.difference;
  return (
    <>
      <td class="n">{f ? <span data-figure>{f.text}</span> : "–"}</td>
      <td class="n">{f?.range ? <span data-figure>{f.range}</span> : ""}</td>
      <td class="drawn">{f && <Interval low={f.low} value={f.value} high={f.high} least={-most} most={most} />}</td>
      <td><b class={`verdict ${d.verdict.replace(/ /g, "-")}`}>{d.verdict}</b>
        {d.share_text && d.verdict !== "not told apart" && <> <span data-figure>{d.share_text}</span></>}
        {d.why && <small> {d.why}</small>}</td>
    </>
  );
}

export function Differences({ comparison }: { comparison: Comparison }) {
  const base = comparison.rows.find((r) => r.id === comparison.base);
  return (
    <>
      {Object.entries(kQuantities).map(([key, words]) => {
        const lines = comparison.differences.map((d) => ({
          row: comparison.rows.find((r) => r.id === d.id), d: d.differences.find((x) => x.quantity === key) }));
        const most = Math.max(1e-30, ...lines.map(({ d }) =>
          Math.max(Math.abs(d?.difference?.low ?? 0), Math.abs(d?.difference?.high ?? 0))));
        return (
          <div key={key} class="scroll" tabIndex={0} role="region" aria-label={`Differences of ${words}`}>
            <table>
              <caption><span>{words}, against <b><bdi class="clamp">{row_name(base)}</bdi></b></span></caption>
              <thead><tr><th scope="col">run</th><th scope="col" class="n">difference</th>
                <th scope="col" class="n">90 % interval</th><th scope="col">around zero</th><th scope="col">verdict</th></tr></thead>
              <tbody>{lines.map(({ row, d }) => d && (
                <tr key={row?.id}><th scope="row" class="name"><bdi>{row_name(row)}</bdi></th><Line d={d} most={most} /></tr>))}</tbody>
            </table>
          </div>
        );
      })}
      <p class="note">Errors that two measurements share (a sensor's gain on one machine since its last start, the same
        table of grid carbon) cancel in a difference; of a power model this takes its error to be one factor for both. All
        others count as independent, which is wider.</p>
    </>
  );
}

const kWidth = 640, kHeight = 300;

/** Quality against energy; whiskers are the 90 % intervals. */
export function Pareto({ rows }: { rows: RunRow[] }) {
  const shown = rows.filter((r) => r.quality?.value != null && (r.energy_j?.value ?? 0) > 0);
  const metric = shown[0]?.quality?.metric;
  const same = shown.filter((r) => r.quality?.metric === metric);
  if (same.length < 2) return null;
  const xs = same.flatMap((r) => [r.energy_j!.low ?? r.energy_j!.value!, r.energy_j!.high ?? r.energy_j!.value!])
    .filter((v) => v > 0).map(Math.log10);
  const ys = same.flatMap((r) => [r.quality!.low ?? r.quality!.value!, r.quality!.high ?? r.quality!.value!]);
  const span = (v: number[]) => { const a = Math.min(...v), b = Math.max(...v); const m = (b - a || Math.abs(a) || 1) * 0.08; return [a - m, b + m] as const; };
  const [x0, x1] = span(xs), [y0, y1] = span(ys);
  const x = (v: number) => 70 + ((kWidth - 90) * (Math.log10(Math.max(v, 1e-30)) - x0)) / (x1 - x0);
  const y = (v: number) => kHeight - 44 - ((kHeight - 64) * (v - y0)) / (y1 - y0);
  const front = same.filter((r) => r.pareto).sort((a, b) => a.energy_j!.value! - b.energy_j!.value!);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${kWidth} ${kHeight}`} role="img" class="scatter"
        aria-label={`${metric} over energy of ${same.length} runs; ${front.length} of them no other beats in both`}>
        <line class="axis" x1="70" x2={kWidth - 20} y1={kHeight - 44} y2={kHeight - 44} />
        <line class="axis" x1="70" x2="70" y1="20" y2={kHeight - 44} />
        <polyline class="s1 dash" points={front.map((r) => `${x(r.energy_j!.value!)},${y(r.quality!.value!)}`).join(" ")} />
        {same.map((r, i) => {
          const e = r.energy_j!, q = r.quality!;
          return (
            <g key={r.id}>
              <line class="rule" x1={x(e.low ?? e.value!)} x2={x(e.high ?? e.value!)} y1={y(q.value!)} y2={y(q.value!)} />
              <line class="rule" y1={y(q.low ?? q.value!)} y2={y(q.high ?? q.value!)} x1={x(e.value!)} x2={x(e.value!)} />
              <circle class={r.pareto ? "f1" : "fquiet"} cx={x(e.value!)} cy={y(q.value!)} r="5" />
              <text class="middle" x={x(e.value!)} y={y(q.value!) - 9}>{i + 1}</text>
            </g>
          );
        })}
        <text class="soft middle" x={(kWidth + 50) / 2} y={kHeight - 12}>energy, logarithmic →</text>
        <text class="soft" x="8" y="14">{metric} {same[0]?.quality?.less_is_better ? "(less is better)" : "↑"}</text>
      </svg>
      <figcaption>
        <ol class="plain">{same.map((r) => (
          <li key={r.id}><bdi class="clamp">{row_name(r)}</bdi> <span data-figure>{r.energy_j!.text}</span> (<span data-figure>{r.energy_j!.range}</span>),{" "}
            {metric} <span data-figure>{r.quality!.text}</span>{r.pareto ? ", on the Pareto line" : ""}</li>))}</ol>
      </figcaption>
    </figure>
  );
}

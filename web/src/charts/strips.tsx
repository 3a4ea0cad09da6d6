// SPDX-License-Identifier: Apache-2.0
// Powers of a site over the slots: own, grid, curtailed one on another; capacity and the slot shown.

import type { Site } from "../types";

const kWidth = 600, kHeight = 64;

function area(below: number[], above: number[], top: number): string {
  const n = above.length, dx = kWidth / n, y = (v: number) => (kHeight * (1 - v / top)).toFixed(1);
  let out = "";
  above.forEach((v, i) => { out += `${i ? "L" : "M"}${(i * dx).toFixed(1)},${y(v)}L${((i + 1) * dx).toFixed(1)},${y(v)}`; });
  for (let i = n - 1; i >= 0; --i)
    out += `L${((i + 1) * dx).toFixed(1)},${y(below[i]!)}L${(i * dx).toFixed(1)},${y(below[i]!)}`;
  return out + "Z";
}

export function Strip({ site, slot, top }: { site: Site; slot: number; top: number }) {
  const s = site.series;
  const zero = s.own_kw.map(() => 0);
  const with_grid = s.own_kw.map((v, i) => v + (s.grid_kw[i] ?? 0));
  const all = with_grid.map((v, i) => v + (s.curtailed_kw[i] ?? 0));
  const dx = kWidth / Math.max(1, all.length);
  return (
    <svg class="strip" viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" role="img"
      aria-label={`${site.name}: own power ${site.own_text}, grid ${site.grid_text}, curtailed ${site.curtailed_text}`}>
      <path class="own" d={area(zero, s.own_kw, top)} />
      <path class="grid" d={area(s.own_kw, with_grid, top)} />
      <path class="curtailed" d={area(with_grid, all, top)} />
      <line class="axis" x1="0" x2={kWidth} y1={kHeight} y2={kHeight} />
      <rect class="now" x={slot * dx} width={dx} y="0" height={kHeight} />
    </svg>
  );
}

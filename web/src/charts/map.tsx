// SPDX-License-Identifier: Apache-2.0
// Sites on the embedded outlines of the land: a ring for each, in shares of own power, grid and
// curtailed power, and what moves between them. Equirectangular about the middle latitude.

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Plan } from "../types";

const kWidth = 900, kHeight = 420;

interface Place { x: number; y: number }

/** Where the page draws a place; rings of sites that no coordinates are known of. */
function placed(plan: Plan): { at: Place[]; project: ((lon: number, lat: number) => Place) | null } {
  const known = plan.sites.every((s) => s.latitude !== null && s.longitude !== null);
  if (!known)
    return {
      project: null,
      at: plan.sites.map((_, i) => {
        const turn = (2 * Math.PI * i) / plan.sites.length - Math.PI / 2;
        return { x: kWidth / 2 + 330 * Math.cos(turn), y: kHeight / 2 + 150 * Math.sin(turn) };
      }),
    };
  const lon = plan.sites.map((s) => s.longitude!), lat = plan.sites.map((s) => s.latitude!);
  const middle = (Math.min(...lat) + Math.max(...lat)) / 2;
  const squeeze = Math.max(0.2, Math.cos((middle * Math.PI) / 180));
  const span = Math.max(8, 1.4 * (Math.max(...lon) - Math.min(...lon)) * squeeze,
    (1.5 * (Math.max(...lat) - Math.min(...lat)) * kWidth) / kHeight);
  const scale = kWidth / span;
  const centre = (Math.min(...lon) + Math.max(...lon)) / 2;
  const project = (x: number, y: number) =>
    ({ x: kWidth / 2 + (x - centre) * squeeze * scale, y: kHeight / 2 - (y - middle) * scale });
  return { project, at: plan.sites.map((_, i) => project(lon[i]!, lat[i]!)) };
}

function arc(c: Place, r: number, from: number, to: number): string {
  const p = (t: number) => `${c.x + r * Math.sin(2 * Math.PI * t)},${c.y - r * Math.cos(2 * Math.PI * t)}`;
  if (to - from >= 0.9999) return `M${p(0)}A${r},${r} 0 1 1 ${p(0.5)}A${r},${r} 0 1 1 ${p(1)}`;
  return `M${p(from)}A${r},${r} 0 ${to - from > 0.5 ? 1 : 0} 1 ${p(to)}`;
}

function useLand(): string[] {
  const [rows, set] = useState<string[]>([]);
  useEffect(() => {
    void fetch("/land.csv").then((r) => r.text()).then((t) => set(t.trim().split("\n").slice(1)));
  }, []);
  return rows;
}

export function FleetMap({ plan, slot }: { plan: Plan; slot: number }) {
  const { at, project } = useMemo(() => placed(plan), [plan]);
  const rows = useLand();
  const land = useMemo(() => project ? rows.map((row) => "M" + row.replace(/"/g, "").split(";").map((pair) => {
    const [x, y] = pair.split(" ").map(Number);
    const p = project(x ?? 0, y ?? 0);
    return `${p.x.toFixed(1)},${p.y.toFixed(1)}`;
  }).join("L") + "Z").join("") : "", [rows, project]);
  const most = Math.max(1e-9, ...plan.sites.flatMap((s) =>
    s.series.own_kw.map((v, t) => v + (s.series.grid_kw[t] ?? 0) + (s.series.curtailed_kw[t] ?? 0))));
  const moved = plan.moves.reduce((sum, m) => sum + m.it_j, 0);
  return (
    <svg class="map" viewBox={`0 0 ${kWidth} ${kHeight}`} role="img"
      aria-label={`Map of ${plan.sites.length} sites in slot ${slot + 1} of ${plan.points}; the table below has the figures`}>
      <rect class="sea" width={kWidth} height={kHeight} />
      <path class="land" d={land} />
      {plan.moves.filter((m) => m.it_j > 0.01 * moved).map((m) => {
        const a = at[m.from]!, b = at[m.to]!;
        const bend = { x: (a.x + b.x) / 2 + (b.y - a.y) * 0.15, y: (a.y + b.y) / 2 - (b.x - a.x) * 0.15 };
        return <path key={`${m.from}-${m.to}`} class="move" d={`M${a.x},${a.y}Q${bend.x},${bend.y} ${b.x},${b.y}`}
          style={{ strokeWidth: `${1 + (6 * m.it_j) / (moved || 1)}px` }} />;
      })}
      {plan.sites.map((s, i) => {
        const own = s.series.own_kw[slot] ?? 0, grid = s.series.grid_kw[slot] ?? 0,
          curtailed = s.series.curtailed_kw[slot] ?? 0;
        const sum = own + grid + curtailed;
        const r = 7 + 26 * Math.sqrt(sum / most), c = at[i]!;
        const cut = sum > 0 ? [0, own / sum, (own + grid) / sum, 1] : [0, 0, 0, 0];
        return (
          <g key={s.name + i}>
            <circle class="disc" cx={c.x} cy={c.y} r={r} />
            {["own", "grid", "curtailed"].map((kind, k) => cut[k + 1]! - cut[k]! > 1e-4 && (
              <path key={kind} class={`ring ${kind}`} d={arc(c, r, cut[k]!, cut[k + 1]!)} />))}
          </g>
        );
      })}
      {plan.sites.map((s, i) => (
        <text key={s.name + i} class="middle" x={at[i]!.x} y={at[i]!.y + 12 + (i % 2 ? 34 : -30)}>
          {s.name.length > 18 ? s.name.slice(0, 17) + "…" : s.name}</text>))}
    </svg>
  );
}

// SPDX-License-Identifier: Apache-2.0
// A tree of joules as an icicle: levels downwards, width by energy (or its logarithm), colour by
// origin. Enter or a click goes into a node, Backspace out of it, arrows walk.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Node } from "../types";

interface Box { node: Node; parent: number; x: number; width: number; depth: number; path: string }

const kRow = 34, kDeepest = 7, kWidth = 1000, kLeast = 1.2;

/** Width of each child, in shares that sum to one. */
function shares(children: Node[], logarithmic: boolean): number[] {
  const weight = children.map((c) => c.energy_j);
  if (logarithmic) {
    const least = Math.min(...weight.filter((w) => w > 0)); // of none: infinite, and all are 0
    for (let i = 0; i < weight.length; ++i) weight[i] = weight[i]! > 0 ? 1 + Math.log10(weight[i]! / least) : 0;
  }
  const sum = weight.reduce((a, b) => a + b, 0) || 1;
  return weight.map((w) => w / sum);
}

function layout(root: Node, logarithmic: boolean): Box[] {
  const out: Box[] = [];
  const place = (node: Node, parent: number, x: number, width: number, depth: number, path: string): void => {
    const index = out.length;
    out.push({ node, parent, x, width, depth, path });
    if (!node.children || depth + 1 >= kDeepest) return;
    const order = [...node.children].sort((a, b) => b.energy_j - a.energy_j);
    let at = x;
    shares(order, logarithmic).forEach((share, i) => {
      const w = share * width;
      if (w >= kLeast) place(order[i]!, index, at, w, depth + 1, `${path}/${i}`);
      at += w;
    });
  };
  place(root, -1, 0, kWidth, 0, "");
  return out;
}

export function Icicle({ root, chosen, choose, zoom }:
    { root: Node; chosen: Node; choose: (node: Node) => void; zoom: (node: Node) => void }) {
  const [logarithmic, set] = useState(false);
  const boxes = useMemo(() => layout(root, logarithmic), [root, logarithmic]);
  const svg = useRef<SVGSVGElement>(null);
  const focused = useRef(false);
  const current = Math.max(0, boxes.findIndex((b) => b.node === chosen));
  const height = kRow * (1 + Math.max(...boxes.map((b) => b.depth)));
  useLayoutEffect(() => {
    if (focused.current) (svg.current?.querySelector(`[data-box="${current}"]`) as SVGElement | null)?.focus();
  }, [current, boxes]);

  const key = (event: KeyboardEvent, i: number) => {
    const box = boxes[i]!;
    const level = boxes.map((b, k) => ({ b, k })).filter(({ b }) => b.depth === box.depth);
    const here = level.findIndex(({ k }) => k === i);
    let to: number | undefined;
    if (event.key === "ArrowRight") to = level[here + 1]?.k;
    else if (event.key === "ArrowLeft") to = level[here - 1]?.k;
    else if (event.key === "ArrowUp") to = box.parent >= 0 ? box.parent : undefined;
    else if (event.key === "ArrowDown") to = boxes.findIndex((b) => b.parent === i);
    else if (event.key === "Enter" || event.key === " ") { zoom(box.node); event.preventDefault(); return; }
    else return;
    event.preventDefault();
    if (to !== undefined && to >= 0) { focused.current = true; choose(boxes[to]!.node); }
  };
  return (
    <figure class="chart">
      <p class="controls">
        <label><input type="checkbox" checked={logarithmic} onChange={(e) => set(e.currentTarget.checked)} />
          {" "}widths by logarithm, so that small parts show</label>
      </p>
      <svg ref={svg} class="icicle" viewBox={`0 0 ${kWidth} ${height}`} role="tree" preserveAspectRatio="none"
        aria-label="Where the energy goes" style={{ height: `${height}px` }}>
        {boxes.map((b, i) => (
          <g key={b.path || "root"} role="treeitem" data-box={i} tabIndex={i === current ? 0 : -1}
            aria-level={b.depth + 1} aria-selected={i === current}
            aria-expanded={b.node.children ? b.node === root : undefined}
            aria-label={`${b.node.name}, ${b.node.text}, ${b.node.range}, ${b.node.share_text}, ${b.node.origin}`}
            onFocus={() => { focused.current = true; choose(b.node); }} onBlur={() => { focused.current = false; }}
            onClick={() => choose(b.node)} onDblClick={() => zoom(b.node)} onKeyDown={(e) => key(e, i)}>
            <rect class={`node ${b.node.origin} ${i === current ? "chosen" : ""}`} x={b.x + 0.5} y={b.depth * kRow + 1}
              width={Math.max(0.4, b.width - 1)} height={kRow - 2} />
          </g>
        ))}
      </svg>
      <div class="icicle-names" style={{ marginTop: `-${height}px`, height: `${height}px` }} aria-hidden="true">
        {boxes.filter((b) => b.width > 60).map((b) => (
          <span key={b.path || "root"} class={b.node.origin} style={{ left: `${b.x / 10}%`, width: `${b.width / 10}%`,
            top: `${b.depth * kRow}px` }}>{b.node.name}</span>
        ))}
      </div>
      <figcaption>
        <span class="legend">
          {["measured", "published", "modelled", "assumed"].map((o) => (
            <span key={o}><i class={`key ${o}`} />{o}</span>))}
        </span>
        <span>Click: what it is and where it is from. Double click or Enter: into it. Arrows: walk.</span>
      </figcaption>
    </figure>
  );
}

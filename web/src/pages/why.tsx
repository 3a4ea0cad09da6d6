// SPDX-License-Identifier: Apache-2.0
// Why: an explanation's tree of joules, each figure down to the constant it rests on.

import { useState } from "preact/hooks";
import { Icicle } from "../charts/icicle";
import { Card, Interval, Origin, Trouble } from "../figure";
import { useGet } from "../hooks";
import type { Explanation, FileRow, Node } from "../types";

/** The nodes from the top to this one. */
function path_to(root: Node, target: Node): Node[] {
  if (root === target) return [root];
  for (const child of root.children ?? []) {
    const found = path_to(child, target);
    if (found.length) return [root, ...found];
  }
  return [];
}

function Source({ explanation, node }: { explanation: Explanation; node: Node }) {
  const rows = explanation.constants.filter((c) => c.id === node.constant);
  return (
    <section class="panel" aria-labelledby="node" aria-live="polite">
      <h2 id="node">{node.name}</h2>
      <p class="answer"><b data-figure>{node.text}</b> <small data-figure>{node.range}</small>{" "}
        <Origin origin={node.origin} boundary={node.boundary} />
        <Interval low={node.low_j} value={node.energy_j} high={node.high_j} most={node.high_j} /></p>
      <dl>
        <dt>of the whole</dt><dd data-figure>{node.share_text}</dd>
        <dt>published circuits of this alone would take</dt><dd data-figure>{node.floor_text}</dd>
        <dt>k<sub>B</sub> T ln 2 for each bit that must be erased</dt><dd data-figure>{node.limit_text}</dd>
        {node.count_text && <><dt>counted</dt><dd data-figure>{node.count_text}</dd></>}
        {node.coefficient_text && <><dt>each</dt><dd data-figure>{node.coefficient_text}</dd></>}
        {node.grade && <><dt>how that is known</dt><dd>{node.grade}</dd></>}
        {node.constant && <><dt>constant</dt><dd><code>{node.constant}</code></dd></>}
        {rows.map((c) => c.source && <><dt>source</dt><dd>{c.source}{c.year ? `, ${c.year}` : ""}{c.licence ? ` (${c.licence})` : ""}</dd></>)}
      </dl>
      {node.children && <p class="note">It is the sum of {node.children.length} parts.</p>}
    </section>
  );
}

function Parts({ node, choose }: { node: Node; choose: (n: Node) => void }) {
  const rows = [...(node.children ?? [])].sort((a, b) => b.energy_j - a.energy_j);
  if (rows.length === 0) return null;
  const most = Math.max(...rows.map((r) => r.high_j));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Parts of ${node.name}`}>
      <table>
        <caption><span>Parts of {node.name}{rows.length > 40 ? `, the largest 40 of ${rows.length}` : ""}</span></caption>
        <thead><tr><th scope="col">part</th><th scope="col" class="n">energy</th><th scope="col" class="n">interval</th>
          <th scope="col">drawn</th><th scope="col" class="n">of the whole</th><th scope="col">origin</th></tr></thead>
        <tbody>{rows.slice(0, 40).map((r, i) => (
          <tr key={i}><th scope="row" class="name"><button type="button" class="link" onClick={() => choose(r)}>{r.name}</button></th>
            <td class="n" data-figure>{r.text}</td><td class="n" data-figure>{r.range}</td>
            <td class="drawn"><Interval low={r.low_j} value={r.energy_j} high={r.high_j} most={most} /></td>
            <td class="n" data-figure>{r.share_text}</td><td><Origin origin={r.origin} /></td></tr>))}</tbody>
      </table>
    </div>
  );
}

export function ExplanationView({ explanation }: { explanation: Explanation }) {
  const [root, set_root] = useState(explanation.tree);
  const [chosen, choose] = useState(explanation.tree);
  const trail = path_to(explanation.tree, root);
  const zoom = (node: Node) => { if (node.children) { set_root(node); choose(node); } };
  return (
    <>
      <p class="kicker"><bdi>{explanation.model.name}</bdi>{explanation.machine.chip ? ` on ${explanation.machine.chip}` : ""}</p>
      <div class="cards">
        <Card label="the whole" figure={explanation.energy_j} />
        <Card label={`for one ${explanation.unit}`} figure={explanation.energy_j_per_unit} />
        {explanation.phases.map((p) => <Card key={p.phase} label={`phase ${p.phase}, ${p.time_text}`} figure={p.energy_j} />)}
      </div>
      {!explanation.complete && <p class="warning">Some operators are not understood: all energies are lower bounds.</p>}
      <nav aria-label="Where in the tree"><ol class="trail">{trail.map((n, i) => (
        <li key={i}><button type="button" class="link" aria-current={n === root ? "location" : undefined} onClick={() => zoom(n)}>{n.name}</button></li>))}</ol></nav>
      <Icicle root={root} chosen={chosen} choose={choose} zoom={zoom} />
      <Source explanation={explanation} node={chosen} />
      <Parts node={chosen.children ? chosen : root} choose={choose} />
      {[...explanation.remarks, ...explanation.notes].length > 0 && (
        <ul class="plain">{[...explanation.remarks, ...explanation.notes].map((t) => <li key={t}>{t}</li>)}</ul>)}
    </>
  );
}

export function Why() {
  const { data: list, error } = useGet<{ files: FileRow[] }>("/api/v1/explanations");
  const [id, set_id] = useState<string | null>(null);
  const here = id ?? list?.files[0]?.id ?? null;
  const one = useGet<Explanation>(here ? `/api/v1/explanations/${here}` : null);
  return (
    <>
      <h1>Why</h1>
      <Trouble error={error ?? one.error} />
      {list && list.files.length === 0 && (
        <p class="answer">No explanation yet. Make one with <code>carnot explain MODEL --json &gt; why.json</code> and show it
          with <code>carnot serve --runs FOLDER</code>, or name models with <code>--model</code> and ask under What if.</p>
      )}
      {list && list.files.length > 1 && (
        <p class="controls"><label>explanation <select value={here ?? ""} onChange={(e) => set_id(e.currentTarget.value)}>
          {list.files.map((f) => <option key={f.id} value={f.id}>{f.name}</option>)}</select></label></p>
      )}
      {one.data && <ExplanationView key={one.data.id} explanation={one.data} />}
    </>
  );
}

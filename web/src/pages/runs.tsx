// SPDX-License-Identifier: Apache-2.0
// Runs: every journal that the server was pointed at, one in detail, or several against each other.

import { useEffect, useState } from "preact/hooks";
import { get } from "../api";
import { Differences, Pareto } from "../charts/differences";
import { TimeChart } from "../charts/time";
import { Cell, Copy, greatest, Origin, Trouble } from "../figure";
import { useGet } from "../hooks";
import type { Comparison, RunPage, RunRow, Series } from "../types";

interface Page { runs: RunRow[]; next: string | null }

function Row({ row, most, ticked, tick, open, chosen }: { row: RunRow; most: { e: number; c: number }; ticked: boolean;
    tick: (on: boolean) => void; open: () => void; chosen: boolean }) {
  const name = row.subject ?? row.name;
  if (row.kind === "unreadable")
    return <tr class="quiet"><td /><th scope="row" class="name"><bdi>{row.name}</bdi></th><td colSpan={6}>{row.problem}</td></tr>;
  return (
    <tr class={chosen ? "best" : ""}>
      <td><input type="checkbox" checked={ticked} aria-label={`compare ${name}`}
        onChange={(e) => tick(e.currentTarget.checked)} /></td>
      <th scope="row" class="name"><button type="button" class="link" aria-expanded={chosen} onClick={open}><bdi>{name}</bdi></button>
        <small><bdi>{row.name}</bdi></small></th>
      <td class="n"><Cell figure={row.energy_j} most={most.e} /></td>
      <td class="n"><Cell figure={row.carbon_g} most={most.c} /></td>
      <td class="n">{row.quality ? <span class="cell"><span data-figure>{row.quality.text}</span>
        {row.quality.range && <small data-figure>{row.quality.range}</small>}<small>{row.quality.metric}</small></span> : "–"}</td>
      <td class="n" data-figure>{row.duration_text}</td>
      <td><span class={row.ok ? "" : "bad"}>{row.outcome}</span>
        {row.energy_j && <Origin origin={row.energy_j.origin} boundary={row.energy_j.boundary} />}</td>
      <td><time dateTime={row.started ?? ""}>{(row.started ?? "").slice(0, 16).replace("T", " ")}</time></td>
    </tr>
  );
}

function Detail({ row }: { row: RunRow }) {
  const { data: series, error } = useGet<Series>(`/api/v1/runs/${row.id}/series?max_points=600`);
  const { data: page } = useGet<RunPage>(`/api/v1/runs/${row.id}`);
  const details = page?.details;
  const most = greatest(details?.domains.map((d) => d.energy_j) ?? []);
  return (
    <section class="panel" aria-labelledby="detail">
      <h2 id="detail" class="name"><bdi>{row.subject}</bdi></h2>
      <p class="remedy"><code>{row.command}</code> {row.command && <Copy text={row.command} />}</p>
      {row.place && <p class="note">{row.place}</p>}
      <Trouble error={error} />
      {series && series.power_w.length > 0 && (
        <>
          <TimeChart clock={false} label={`Power of ${row.subject ?? row.name} over time`} data={{
            x: series.to_s, total: series.power_w, low: series.low_w, high: series.high_w,
            words: series.text.map((t, i) => `${t}, ${series.range[i] ?? ""}`),
            parts: series.parts.filter((p) => p.counted).map((p) => ({ label: p.label, values: p.power_w })) }} />
          <p class="note">All points together: <span data-figure>{series.energy_text}</span>, the joules of the whole.
            Intervals: {series.bounds}.</p>
        </>
      )}
      {details && (
        <div class="two">
          <table>
            <caption><span>By domain</span></caption>
            <thead><tr><th scope="col">domain</th><th scope="col">role</th><th scope="col" class="n">energy</th></tr></thead>
            <tbody>{details.domains.map((d) => <tr key={d.label}><th scope="row" class="name"><bdi>{d.label}</bdi></th>
              <td>{d.role}</td><td class="n"><Cell figure={d.energy_j} most={most} /></td></tr>)}</tbody>
          </table>
          <table>
            <caption><span>By process; the rows sum to the machine</span></caption>
            <thead><tr><th scope="col">process</th><th scope="col" class="n">CPU time</th><th scope="col" class="n">energy</th></tr></thead>
            <tbody>{details.processes.map((p) => <tr key={p.name + p.pid}><th scope="row" class="name"><bdi>{p.name}</bdi></th>
              <td class="n" data-figure>{p.cpu_text}</td><td class="n" data-figure>{p.energy_text}</td></tr>)}</tbody>
          </table>
        </div>
      )}
      {details && (details.gaps.length > 0 || details.notes.length > 0) && (
        <ul class="plain">{details.gaps.map((g) => <li key={g}>{g}</li>)}
          {details.notes.map((n) => <li key={n.reason}>{n.reason}{n.remedy && <p class="remedy"><code>{n.remedy}</code> <Copy text={n.remedy} /></p>}</li>)}
        </ul>
      )}
    </section>
  );
}

function Compared({ ids }: { ids: string[] }) {
  const { data, error } = useGet<Comparison>(`/api/v1/compare?ids=${ids.join(",")}`);
  return (
    <section class="panel" aria-labelledby="compared" aria-live="polite">
      <h2 id="compared">Compared</h2>
      <Trouble error={error} />
      {data && <><Pareto rows={data.rows} /><Differences comparison={data} /></>}
    </section>
  );
}

export function Runs() {
  const [rows, set_rows] = useState<RunRow[]>([]);
  const [next, set_next] = useState<string | null>(null);
  const [error, set_error] = useState<unknown>(null);
  const [busy, set_busy] = useState(true);
  const [search, set_search] = useState("");
  const [ticked, set_ticked] = useState<string[]>([]);
  const [open, set_open] = useState<string | null>(null);
  const load = (cursor: string | null) => {
    set_busy(true);
    const asked = new URLSearchParams({ limit: "50", ...(search ? { q: search } : {}), ...(cursor ? { cursor } : {}) });
    get<Page>(`/api/v1/runs?${asked}`)
      .then((page) => { set_rows((old) => cursor ? [...old, ...page.runs] : page.runs); set_next(page.next); set_error(null); })
      .catch(set_error).finally(() => set_busy(false));
  };
  useEffect(() => { const later = setTimeout(() => load(null), search ? 250 : 0); return () => clearTimeout(later); }, [search]);
  const most = { e: greatest(rows.map((r) => r.energy_j)), c: greatest(rows.map((r) => r.carbon_g)) };
  const shown = rows.find((r) => r.id === open);
  return (
    <>
      <h1>Runs</h1>
      <p class="controls">
        <label>file name holds <input type="search" value={search} onInput={(e) => set_search(e.currentTarget.value)} /></label>
        <span role="status">{busy ? "reading …" : `${rows.length} shown${ticked.length === 1 ? "; tick one more to compare" : ""}`}</span>
        {ticked.length > 0 && <button type="button" class="small" onClick={() => set_ticked([])}>clear ticks</button>}
      </p>
      <Trouble error={error} />
      {!busy && rows.length === 0 && !error && (
        <p class="answer">No journals yet. Point the server at some: <code>carnot serve --runs FOLDER</code>; they come
          from <code>carnot measure --out FILE</code> and <code>carnot run --out FILE</code>.</p>
      )}
      {ticked.length >= 2 && <Compared ids={ticked} />}
      {shown && <Detail key={shown.id} row={shown} />}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Runs, newest first">
          <table>
            <caption><span>Newest first. Tick two or more: the others are compared with the first ticked.</span></caption>
            <thead><tr><th scope="col"><span class="hidden">compare</span></th><th scope="col">what</th><th scope="col" class="n">energy</th>
              <th scope="col" class="n">carbon</th><th scope="col" class="n">quality</th><th scope="col" class="n">took</th>
              <th scope="col">outcome, origin</th><th scope="col">began, UTC</th></tr></thead>
            <tbody>{rows.map((r) => <Row key={r.id} row={r} most={most} ticked={ticked.includes(r.id)} chosen={r.id === open}
              open={() => set_open(open === r.id ? null : r.id)}
              tick={(on) => set_ticked(on ? [...ticked, r.id] : ticked.filter((id) => id !== r.id))} />)}</tbody>
          </table>
        </div>
      )}
      {next && <button type="button" disabled={busy} onClick={() => load(next)}>more</button>}
    </>
  );
}

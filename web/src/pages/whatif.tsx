// SPDX-License-Identifier: Apache-2.0
// What if: change a plan's problem, a model's machine or a simulation, and see what that changes.
// The server computes each change as a job of its own, with bounds on time and memory.

import { useEffect, useRef, useState } from "preact/hooks";
import { download, get, has_token, post, set_token } from "../api";
import { Copy, Interval, Origin, Trouble } from "../figure";
import { useGet } from "../hooks";
import type { Base, Explanation, Job, PlanDifference, Simulation, SliderRow } from "../types";
import { SimulationView } from "./fleet";
import { ExplanationView } from "./why";

type Settings = Record<string, number | string>;

function Setting({ row, value, set }: { row: SliderRow; value: number | string; set: (v: number | string) => void }) {
  if (row.choices)
    return (
      <label class="setting">{row.label}
        <select value={String(value)} onChange={(e) => set(e.currentTarget.value)}>
          {(row.choices.includes(String(value)) ? row.choices : ["", ...row.choices]).map((c) =>
            <option key={c} value={c}>{c || "as by default"}</option>)}</select></label>
    );
  const changed = value !== row.value;
  return (
    <label class={`setting ${changed ? "changed" : ""}`}><span>{row.label}: {row.absolute && !changed ? <b>as it is</b> : <><b>{value}</b> {row.unit}</>}</span>
      <input type="range" min={row.low} max={row.high} step={row.step} value={value}
        onInput={(e) => set(Number(e.currentTarget.value))} /></label>
  );
}

function Result({ job }: { job: Job }) {
  const { data, error } = useGet<unknown>(job.result);
  if (error) return <Trouble error={error} />;
  if (!data) return null;
  if (job.kind === "explain") return <ExplanationView explanation={data as Explanation} />;
  if (job.kind === "simulate") return <SimulationView simulation={data as Simulation} />;
  const d = data as PlanDifference | { outcome: string; words: string };
  if ("outcome" in d) return <p class="warning">{d.outcome}: {d.words}</p>;
  const most = Math.max(Math.abs(d.bound.low ?? 0), Math.abs(d.bound.high ?? 0), 1e-30);
  return (
    <>
      <p class="answer">The plan's cost changes by <b data-figure>{d.bound.text}</b>; that of the best plan, proven,
        by <span data-figure>{d.bound.range}</span>{d.bound.verdict === "not told apart" ? ": not told apart, 0 is among it" : ""}. <Origin origin={d.bound.origin} boundary={d.bound.boundary} /></p>
      <Interval low={d.bound.low} value={d.bound.value} high={d.bound.high} least={-most} most={most} />
      <div class="scroll" tabIndex={0} role="region" aria-label="What changes">
        <table>
          <thead><tr><th scope="col">of the plan</th><th scope="col" class="n">as it is</th><th scope="col" class="n">changed</th>
            <th scope="col" class="n">difference</th><th scope="col" class="n">relative</th></tr></thead>
          <tbody>{d.rows.map((r) => <tr key={r.what}><th scope="row">{r.what}</th><td class="n" data-figure>{r.base_text}</td>
            <td class="n" data-figure>{r.text}</td><td class="n" data-figure>{r.difference_text}</td><td class="n" data-figure>{r.change_text}</td></tr>)}
            <tr><th scope="row">jobs dropped</th><td class="n">{d.dropped_base}</td><td class="n">{d.dropped}</td><td /><td /></tr></tbody>
        </table>
      </div>
    </>
  );
}

function Progress({ job, cancel }: { job: Job; cancel: () => void }) {
  const going = job.state === "waiting" || job.state === "running";
  return (
    <div class="job" aria-live="polite">
      <p>{job.state === "waiting" ? `waiting, ${job.before} before it` : job.state === "running" ? `computing, ${job.seconds_text} of at most ${job.limit_s} s`
        : `${job.state}, ${job.seconds_text}`} {going && <button type="button" class="small" onClick={cancel}>cancel</button>}</p>
      {going && <progress value={job.share} max={1} aria-label="Time used of the time allowed" />}
      {job.progress && going && <p class="note">{job.progress}</p>}
      {job.error && <Trouble error={new Error(job.error)} />}
    </div>
  );
}

function Panel({ base, limit }: { base: Base; limit: number }) {
  const [settings, set] = useState<Settings>({});
  const seconds = useRef(10);
  const [job, set_job] = useState<Job | null>(null);
  const [shown, show] = useState<Job | null>(null);
  const [error, fail] = useState<unknown>(null);
  const latest = useRef("");
  const start = async (chosen: Settings) => {
    fail(null);
    try {
      if (latest.current) await post(`/api/v1/jobs/${latest.current}/cancel`).catch(() => undefined);
      let now = await post<Job>(`/api/v1/${base.kind}`, { id: base.id, set: chosen, time_limit_s: Math.min(seconds.current, limit) });
      latest.current = now.id;
      for (;;) {
        if (latest.current !== now.id) return;
        set_job(now);
        if (now.state !== "waiting" && now.state !== "running") break;
        await new Promise((done) => setTimeout(done, 250));
        now = await get<Job>(`/api/v1/jobs/${now.id}`);
      }
      if (now.state === "done") show(now);
    } catch (e) {
      fail(e);
    }
  };
  const first = useRef(true);
  useEffect(() => {
    if (first.current) { first.current = false; return; }
    const later = setTimeout(() => void start(settings), 300); // after the last move
    return () => clearTimeout(later);
  }, [settings]);
  useEffect(() => () => {
    if (latest.current) void post(`/api/v1/jobs/${latest.current}/cancel`).catch(() => undefined);
    latest.current = "";
  }, []);
  const change = (row: SliderRow, value: number | string) => set((old) => {
    const out = { ...old };
    if (value === row.value || value === "") delete out[row.key];
    else out[row.key] = value;
    return out;
  });
  return (
    <div class="whatif">
      <form class="sliders" onSubmit={(e) => e.preventDefault()} aria-label="Changes">
        {base.sliders.map((row) => <Setting key={row.key} row={row} value={settings[row.key] ?? row.value} set={(v) => change(row, v)} />)}
        <p class="controls">
          <button type="button" onClick={() => void start(settings)}>compute</button>
          <button type="button" class="small" onClick={() => set({})}>all as it was</button>
          <label>at most <select onChange={(e) => { seconds.current = Number(e.currentTarget.value); }}>
            {[10, 30, 120].filter((s) => s <= limit || s === 10).map((s) => <option key={s} value={s}>{s} s</option>)}</select></label></p>
      </form>
      <div class="result">
        <Trouble error={error} />
        {job && <Progress job={job} cancel={() => void post<Job>(`/api/v1/jobs/${job.id}/cancel`).then(set_job).catch(fail)} />}
        {job && <p class="remedy"><code>{job.command}</code> <Copy text={job.command} label="copy the command" />
          {job.kind === "plan" && job.state === "done" && <>
            <button type="button" class="small" onClick={() => void download(`/api/v1/jobs/${job.id}/problem`, "problem.json").catch(fail)}>problem.json</button>
            <button type="button" class="small" onClick={() => void download(`/api/v1/jobs/${job.id}/problem?file=jobs.csv`, "jobs.csv").catch(fail)}>jobs.csv</button></>}</p>}
        {!job && <p class="note">Move something, or compute it as it is.</p>}
        {shown && <Result key={shown.id} job={shown} />}
      </div>
    </div>
  );
}

export function TokenForm({ why, done }: { why: string; done: () => void }) {
  const [text, set] = useState("");
  return (
    <form class="panel" onSubmit={(e) => { e.preventDefault(); set_token(text); done(); }}>
      <p>{why}</p>
      <p class="controls"><label>token <input type="password" autocomplete="off" value={text} onInput={(e) => set(e.currentTarget.value)} /></label>
        <button type="submit">use it</button></p>
    </form>
  );
}

export function WhatIf() {
  const { data, error } = useGet<{ bases: Base[]; limit_s: number }>("/api/v1/what-if");
  const [id, set_id] = useState<string | null>(null);
  const [token, set_has] = useState(has_token());
  const base = data?.bases.find((b) => b.id === id) ?? data?.bases[0];
  return (
    <>
      <h1>What if</h1>
      <Trouble error={error} />
      {!token && <TokenForm done={() => set_has(true)}
        why="What starts work on this machine needs the token that stands after #token= in the address that carnot serve printed." />}
      {data && data.bases.length === 0 && (
        <p class="answer">Nothing to change yet. Name some when you start the server: <code>--plan plan.json</code>,{" "}
          <code>--model model.onnx</code>, <code>--simulate '--jobs trace.swf --sites DIR'</code>.</p>
      )}
      {data && data.bases.length > 1 && (
        <p class="controls"><label>change <select value={base?.id ?? ""} onChange={(e) => set_id(e.currentTarget.value)}>
          {data.bases.map((b) => <option key={b.id} value={b.id}>{b.kind}: {b.name}</option>)}</select></label></p>
      )}
      {base && token && <Panel key={base.id} base={base} limit={data?.limit_s ?? 10} />}
    </>
  );
}

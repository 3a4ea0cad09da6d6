// SPDX-License-Identifier: Apache-2.0
// Fleet: what a plan does at each site over time, what its bound proves, what simple rules would
// have cost; and simulations, policy beside policy.

import { useEffect, useState } from "preact/hooks";
import { FleetMap } from "../charts/map";
import { Strip } from "../charts/strips";
import { Origin, Trouble } from "../figure";
import { useGet } from "../hooks";
import type { FileRow, Plan, Simulation } from "../types";

function Slots({ plan, slot, set }: { plan: Plan; slot: number; set: (s: number) => void }) {
  const [playing, play] = useState(false);
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => set((slot + 1) % plan.points), 400);
    return () => clearInterval(timer);
  }, [playing, slot]);
  const hours = (plan.slot_s * slot) / 3600;
  return (
    <p class="controls slots">
      <button type="button" aria-pressed={playing} onClick={() => play(!playing)}>{playing ? "pause" : "play"}</button>
      <label>slot <input type="range" min={0} max={plan.points - 1} value={slot}
        aria-valuetext={`slot ${slot + 1} of ${plan.points}, ${hours.toFixed(1)} hours from the start`}
        onInput={(e) => set(Number(e.currentTarget.value))} /></label>
      <span>{slot + 1} of {plan.points}, {hours.toFixed(1)} h from the start</span>
    </p>
  );
}

function Sites({ plan, slot }: { plan: Plan; slot: number }) {
  const top = Math.max(1e-9, ...plan.sites.flatMap((s) => s.series.own_kw.map((v, t) =>
    v + (s.series.grid_kw[t] ?? 0) + (s.series.curtailed_kw[t] ?? 0))));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Sites">
      <table>
        <caption><span>Sites: powers in the slot shown, and over all slots</span></caption>
        <thead><tr><th scope="col">site</th><th scope="col" class="n">own, this slot</th><th scope="col" class="n">grid</th>
          <th scope="col" class="n">curtailed</th><th scope="col">over time</th><th scope="col" class="n">own, in all</th>
          <th scope="col" class="n">grid</th><th scope="col" class="n">curtailed</th><th scope="col" class="n">carbon</th>
          <th scope="col" class="n">cost</th><th scope="col" class="n">jobs</th><th scope="col" class="n">hall used</th></tr></thead>
        <tbody>{plan.sites.map((s, i) => (
          <tr key={i}><th scope="row" class="name"><bdi>{s.name}</bdi></th>
            <td class="n" data-figure>{s.series.own_text[slot]}</td><td class="n" data-figure>{s.series.grid_text[slot]}</td>
            <td class="n" data-figure>{s.series.curtailed_text[slot]}</td>
            <td class="drawn wide"><Strip site={s} slot={slot} top={top} /></td>
            <td class="n" data-figure>{s.own_text}</td><td class="n" data-figure>{s.grid_text}</td>
            <td class="n" data-figure>{s.curtailed_text}</td><td class="n" data-figure>{s.carbon_text}</td>
            <td class="n" data-figure>{s.cost_text}</td><td class="n">{s.jobs}</td><td class="n" data-figure>{s.used_text}</td></tr>))}</tbody>
      </table>
    </div>
  );
}

function Rules({ plan }: { plan: Plan }) {
  const t = plan.totals;
  const most = Math.max(t.objective_eur, ...plan.rules.map((r) => r.objective_eur ?? 0));
  const width = (v: number | undefined) => ({ width: `${Math.max(0.3, (100 * Math.max(0, v ?? 0)) / (most || 1))}%` });
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Against simple rules">
      <table>
        <caption><span>The plan, its proven bound, and what simple rules would have cost</span></caption>
        <thead><tr><th scope="col">plan</th><th scope="col" class="n">cost</th><th scope="col">drawn</th>
          <th scope="col" class="n">above the bound</th><th scope="col" class="n">energy</th><th scope="col" class="n">grid</th>
          <th scope="col" class="n">carbon</th></tr></thead>
        <tbody>
          <tr class="best"><th scope="row">this plan</th><td class="n" data-figure>{t.objective_text}</td>
            <td class="drawn"><i class="bar f1" style={width(t.objective_eur)} /></td><td class="n" data-figure>{t.left_share_text}</td>
            <td class="n" data-figure>{t.energy_text}</td><td class="n" data-figure>{t.grid_text}</td><td class="n" data-figure>{t.carbon_text}</td></tr>
          <tr class="bound"><th scope="row">no plan costs less (proven)</th><td class="n" data-figure>{t.bound_text}</td>
            <td class="drawn"><i class="bar fquiet" style={width(t.bound_eur ?? 0)} /></td><td /><td /><td /><td /></tr>
          {plan.rules.map((r) => (
            <tr key={r.rule}><th scope="row" class="w">{r.rule}</th>{r.left_out ? <td colSpan={6}>left out: {r.left_out}</td> : <>
              <td class="n" data-figure>{r.objective_text}</td><td class="drawn"><i class="bar f2" style={width(r.objective_eur)} /></td>
              <td class="n" data-figure>{r.above_text}</td><td class="n" data-figure>{r.energy_text}</td>
              <td class="n" data-figure>{r.grid_text}</td><td class="n" data-figure>{r.carbon_text}</td></>}</tr>))}
        </tbody>
      </table>
    </div>
  );
}

function PlanView({ plan }: { plan: Plan }) {
  const [slot, set] = useState(0);
  return (
    <>
      <p class="kicker">{plan.size} <Origin origin={plan.origin} boundary={plan.boundary} /></p>
      <p class="answer">{plan.answer[0]}</p>
      <p><span class={`chip ${plan.holds ? "good" : "bad"}`}>{plan.holds
        ? <>at most <span data-figure>{plan.totals.left_text}</span> from the best, proven</> : "does not hold"}</span></p>
      {!plan.holds && <p class="warning">{plan.check}</p>}
      <figure class="chart">
        <FleetMap plan={plan} slot={slot} />
        <Slots plan={plan} slot={slot} set={set} />
        <figcaption><span class="legend">{["own", "grid", "curtailed"].map((k) => <span key={k}><i class={`key ${k}`} />{k}</span>)}
          <span><i class="key line" />jobs moved, above 1 % of what moves</span></span></figcaption>
      </figure>
      <Sites plan={plan} slot={slot} />
      <Rules plan={plan} />
      <ul class="plain">{plan.answer.slice(1).map((t) => <li key={t}>{t}</li>)}{plan.holds && <li>{plan.check}</li>}</ul>
    </>
  );
}

const kColumns: [string, string][] = [["cost_eur", "cost"], ["energy_j", "energy"], ["grid_energy_j", "grid"],
  ["carbon_g", "carbon"], ["mean_wait_s", "mean wait"], ["utilisation", "utilisation"]];

export function SimulationView({ simulation }: { simulation: Simulation }) {
  const most = Math.max(1e-30, ...simulation.runs.map((r) => r.cost_eur));
  return (
    <>
      <p class="kicker">{simulation.jobs_source}. {simulation.sites_source} <Origin origin="modelled" boundary="facility" /></p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Policies">
        <table>
          <caption><span>Policy beside policy. Ranges are 90 % of an ensemble's members; one simulation alone has none.</span></caption>
          <thead><tr><th scope="col">policy</th>{kColumns.map(([k, w]) => <th key={k} scope="col" class="n">{w}</th>)}
            <th scope="col">cost drawn</th><th scope="col" class="n">least possible</th><th scope="col" class="n">finished</th><th scope="col" class="n">late</th></tr></thead>
          <tbody>{simulation.runs.map((r) => (
            <tr key={r.policy}><th scope="row">{r.policy}</th>
              {kColumns.map(([k]) => <td key={k} class="n"><span class="cell"><span data-figure>{r.texts[k]?.text ?? "–"}</span>
                {r.texts[k]?.range && <small data-figure>{r.texts[k]?.range}</small>}</span></td>)}
              <td class="drawn"><i class="bar f1" style={{ width: `${Math.max(0.3, (100 * Math.max(0, r.cost_eur)) / most)}%` }} /></td>
              <td class="n" data-figure>{r.texts["bound"]?.text ?? "–"}</td><td class="n">{r.finished} of {r.jobs}</td><td class="n">{r.late}</td></tr>))}</tbody>
        </table>
      </div>
    </>
  );
}

export function Fleet() {
  const plans = useGet<{ files: FileRow[] }>("/api/v1/plans");
  const simulations = useGet<{ files: FileRow[] }>("/api/v1/simulations");
  const [chosen, choose] = useState<string | null>(null);
  const all = [...(plans.data?.files ?? []).map((f) => ({ ...f, kind: "plans" })),
    ...(simulations.data?.files ?? []).map((f) => ({ ...f, kind: "simulations" }))];
  const here = all.find((f) => f.id === chosen) ?? all[0];
  const one = useGet<Plan | Simulation>(here ? `/api/v1/${here.kind}/${here.id}` : null);
  return (
    <>
      <h1>Fleet</h1>
      <Trouble error={plans.error ?? one.error} />
      {plans.data && simulations.data && all.length === 0 && (
        <p class="answer">No plan yet. <code>carnot plan problem.json --out plan.json</code> makes
          one, <code>carnot serve --plan plan.json</code> shows it; documents of <code>carnot simulate --json</code> too.</p>
      )}
      {all.length > 1 && (
        <p class="controls"><label>show <select value={here?.id ?? ""} onChange={(e) => choose(e.currentTarget.value)}>
          {all.map((f) => <option key={f.id} value={f.id}>{f.name} ({f.kind.slice(0, -1)})</option>)}</select></label></p>
      )}
      {one.busy && <p class="note" role="status">reading and checking …</p>}
      {one.data?.kind === "plan" && <PlanView key={one.data.id} plan={one.data} />}
      {one.data?.kind === "simulation" && <SimulationView key={one.data.id} simulation={one.data} />}
    </>
  );
}

// SPDX-License-Identifier: Apache-2.0
// The frame: five pages, chosen by what stands after # in the address.

import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render, type ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useLive } from "./hooks";
import { live, start_live } from "./live";
import { Fleet } from "./pages/fleet";
import { Now } from "./pages/now";
import { Runs } from "./pages/runs";
import { TokenForm, WhatIf } from "./pages/whatif";
import { Why } from "./pages/why";

const kPages: Record<string, [string, ComponentType]> = {
  now: ["Now", Now],
  runs: ["Runs", Runs],
  fleet: ["Fleet", Fleet],
  why: ["Why", Why],
  "what-if": ["What if", WhatIf],
};

function page_of(hash: string): string {
  const name = hash.replace(/^#\/?/, "").split(/[/?&]/)[0] ?? "";
  return name in kPages ? name : "now";
}

function Status() {
  useLive();
  const words = { connecting: "connecting", live: "live", cut: "cut off", locked: "locked" }[live.status];
  return <span class={`status ${live.status}`} role="status">{words}</span>;
}

function App() {
  const [page, set] = useState(page_of(location.hash));
  const [locked, lock] = useState(false);
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    const change = () => { set(page_of(location.hash)); };
    addEventListener("hashchange", change);
    const timer = setInterval(() => lock(live.status === "locked"), 300);
    return () => { removeEventListener("hashchange", change); clearInterval(timer); };
  }, []);
  const [title, Page] = kPages[page]!;
  useEffect(() => { document.title = `${title} · carnot`; }, [title]);
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus(); }}>to the page</a>
      <header>
        <span class="brand">carnot</span>
        <nav aria-label="Pages"><ul>{Object.entries(kPages).map(([name, [words]]) => (
          <li key={name}><a href={`#/${name}`} aria-current={name === page ? "page" : undefined}>{words}</a></li>))}</ul></nav>
        <Status />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {locked ? <><h1>Locked</h1><TokenForm done={() => { live.status = "connecting"; lock(false); void start_live(); }}
          why="This server shows its figures to those alone who have its token: the one in its --token-file." /></> : <Page />}
      </main>
    </>
  );
}

void start_live();
render(<App />, document.getElementById("app")!);

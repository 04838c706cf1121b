"""The style sheet of a report: light and dark by the reader's choice, one column on a phone, ink saved on paper."""

STYLE = """\
:root { color-scheme: light dark; --paper: #fff; --raised: #f5f7f9; --ink: #1b2126; --soft: #55616c; --rule: #d9dfe4;
  --blue: #1f6690; --orange: #b4500f; --band: #1f669026; --tint: #1f6690;
  --c0: #1f6690; --c1: #b4500f; --c2: #3d7a34; --c3: #8a4fa3; --c4: #8a6a00; --c5: #b03060; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181c; --raised: #1d2329; --ink: #e6eaed; --soft: #a9b4be;
  --rule: #333c45; --blue: #7cbfe8; --orange: #f0985c; --band: #7cbfe833; --tint: #2f7fb0;
  --c0: #7cbfe8; --c1: #f0985c; --c2: #8fce85; --c3: #d3a3ea; --c4: #e2c25a; --c5: #f291b2; } }
@media print { :root { --paper: #fff; --raised: #fff; --ink: #000; --soft: #444; --rule: #bbb; --blue: #1f6690;
  --orange: #b4500f; --band: #1f669026; --tint: #1f6690; --c0: #1f6690; --c1: #b4500f; --c2: #3d7a34; --c3: #8a4fa3;
  --c4: #8a6a00; --c5: #b03060; } figure, table, dl { break-inside: avoid; } h2, h3 { break-after: avoid; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 3rem; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
h1 { margin: 0 0 .75rem; font-size: 2rem; }
h2 { margin: 2.75rem 0 .75rem; padding-top: 1.25rem; border-top: 1px solid var(--rule); font-size: 1.35rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
figure h3 { margin-top: 0; }
p { max-width: 44rem; margin: .5rem 0; overflow-wrap: anywhere; }
.verdict { font-size: 1.2rem; }
.soft, figcaption, footer { color: var(--soft); font-size: .9rem; }
.facts { display: flex; flex-wrap: wrap; gap: .75rem 2rem; margin: 1rem 0 0; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.wide { overflow-x: auto; max-width: 100%; margin: 1rem 0; }
.beside { display: flex; flex-wrap: wrap; gap: 0 4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { padding: 0 0 .35rem; text-align: left; color: var(--soft); font-size: .9rem; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th { font-weight: 500; }
th:first-child, .text { text-align: left; }
tbody th { min-width: 7rem; max-width: 20rem; white-space: normal; overflow-wrap: anywhere; }
@media (max-width: 30rem) { table { font-size: .85rem; } th, td { padding-right: .6rem; } tbody th { min-width: 4rem; }
  .part { width: 6rem; } }
thead th { color: var(--soft); font-size: .85rem; vertical-align: bottom; }
.own { font-weight: 650; }
.part { display: block; width: 9rem; height: .7rem; background: linear-gradient(var(--blue), var(--blue)) no-repeat
  left / var(--share) 100%; print-color-adjust: exact; }
.taken td { padding: .3rem .8rem; border: 2px solid var(--paper); text-align: center; print-color-adjust: exact;
  background: color-mix(in srgb, var(--tint) var(--share), var(--raised)); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1.75rem;
  margin: 1.5rem 0; }
figure { margin: 0; min-width: 0; }
svg { display: block; width: 100%; height: auto; max-width: 30rem; fill: none; font: 12px system-ui, sans-serif; }
svg text { fill: var(--soft); stroke: none; font-variant-numeric: tabular-nums; }
svg .name { fill: var(--ink); }
.grid { stroke: var(--rule); }
.axis, .rug { stroke: var(--soft); }
.rule { stroke: var(--soft); stroke-dasharray: 4 4; }
.dot { fill: var(--blue); }
.bar { stroke: var(--blue); opacity: .3; }
.error { stroke: var(--blue); stroke-width: 1.5; opacity: .6; }
.curve { stroke: var(--blue); stroke-width: 2; }
.single { stroke: var(--orange); opacity: .45; } .dot.single { fill: var(--orange); stroke: none; }
.band { fill: var(--band); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.legend svg { display: inline-block; width: 2rem; height: .8rem; margin-right: .4rem; }
.curve.c0 { stroke: var(--c0); } .curve.c1 { stroke: var(--c1); stroke-dasharray: 7 3; }
.curve.c2 { stroke: var(--c2); stroke-dasharray: 2 3; } .curve.c3 { stroke: var(--c3); stroke-dasharray: 9 3 2 3; }
.curve.c4 { stroke: var(--c4); stroke-dasharray: 12 4; } .curve.c5 { stroke: var(--c5); stroke-dasharray: 4 2; }
.dot.c0 { fill: var(--c0); } .dot.c1 { fill: var(--c1); } .dot.c2 { fill: var(--c2); } .dot.c3 { fill: var(--c3); }
.dot.c4 { fill: var(--c4); } .dot.c5 { fill: var(--c5); }
.notes li { margin: .35rem 0; max-width: 44rem; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
"""

/** The look of the HTML report: light and dark by the reader's preference, and black on white on paper. Nothing is fetched. */
export const stylesheet = `
:root { color-scheme: light dark; --bg: #fff; --fg: #24292f; --muted: #57606a; --line: #d8dee4; --hair: #eaeef2; --bar: #4b8fdd; --embed: #8a63b8; --forward: #c98a2b; --gone: #cf222e; --new: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --bg: #1f1f1f; --fg: #d4d4d4; --muted: #a0a0a0; --line: #3c3c3c; --hair: #2c2c2c; --bar: #4a8fe0; --embed: #a37bcb; --forward: #c0812a; --gone: #f87171; --new: #7fcf7b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 32px 24px 64px; background: var(--bg); color: var(--fg); font: 14px/20px system-ui, "Segoe UI", "Noto Sans CJK SC", sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 20px; line-height: 28px; margin: 0 0 16px; overflow-wrap: anywhere; font-weight: 600; }
h2 { font-size: 14px; line-height: 20px; margin: 32px 0 8px; }
h3 { font-size: 12px; line-height: 16px; margin: 0 0 2px; }
p { margin: 8px 0; }
.muted { color: var(--muted); font-weight: 400; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); border-block: 1px solid var(--line); margin: 16px 0; }
.totals > div { padding: 10px 16px 12px; border-left: 1px solid var(--line); min-width: 0; }
.totals > div:first-child { border-left: 0; padding-left: 0; }
.big { font-size: 22px; line-height: 30px; font-weight: 600; } .big .muted { font-size: 13px; line-height: 18px; white-space: nowrap; display: block; } .big.muted { font-weight: 400; }
.small { font-size: 12px; line-height: 18px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
caption { text-align: left; color: var(--muted); font-size: 12px; padding: 4px 0; caption-side: bottom; }
th { font-size: 12px; font-weight: 400; color: var(--muted); text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th, td { padding: 2px 10px 2px 0; vertical-align: middle; } td { border-bottom: 1px solid var(--hair); }
.n { text-align: right; white-space: nowrap; } td.name { overflow-wrap: anywhere; min-width: 150px; } td code { white-space: nowrap; }
tfoot td { font-weight: 600; border-bottom: 0; border-top: 1px solid var(--line); }
tr.same td { color: var(--muted); } tr.removed .name bdi { text-decoration: line-through; }
.mark { width: 16px; text-align: center; font-weight: 600; color: var(--bar); } .removed .mark { color: var(--gone); } .added .mark { color: var(--new); }
.bar { display: block; position: relative; height: 12px; min-width: 60px; }
.bar i { position: absolute; left: 0; top: 0; height: 12px; border: 1px solid var(--muted); border-left-width: 0; }
.bar b { position: absolute; left: 0; top: 3px; height: 6px; background: var(--c, var(--bar)); }
.embeddings { --c: var(--embed); } .feed-forward { --c: var(--forward); } .other { --c: var(--muted); }
code, pre { font: 12px/18px ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; } pre { padding: 10px 12px; border: 1px solid var(--line); border-radius: 3px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
ul { margin: 8px 0; padding-left: 20px; } footer { margin-top: 40px; color: var(--muted); font-size: 12px; }
@media (max-width: 520px) { body { padding-inline: 16px; } .big { font-size: 18px; line-height: 26px; } .totals > div:nth-child(odd) { border-left: 0; padding-left: 0; } }
@media print { :root { --bg: #fff; --fg: #000; --muted: #444; --line: #bbb; --hair: #ddd; } body { padding: 0; max-width: none; font-size: 11px; } table, td code { font-size: 9px; } th { font-size: 9px; } td.name { min-width: 90px; } .bar { min-width: 40px; } th, td { padding-right: 6px; } tr, .totals > div { break-inside: avoid; } thead { display: table-header-group; } .scroll { overflow: visible; } .bar b, .bar i { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

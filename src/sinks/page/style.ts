/** The style sheet of the page: one column, system fonts, light and dark colour scheme. */
export const style = `
:root { --back: #f6f7f9; --card: #fff; --text: #1c2430; --soft: #5b6675; --line: #dfe3e8;
  --pass: #1a7f45; --warn: #946200; --fail: #c02b2b; --unknown: #6b4fbb; --skip: #687280; }
@media (prefers-color-scheme: dark) {
  :root { --back: #12161c; --card: #1b2129; --text: #e6eaf0; --soft: #9aa6b5; --line: #2d3641;
    --pass: #4cc283; --warn: #e0a93b; --fail: #ff7a70; --unknown: #b09cf5; --skip: #97a3b2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 1rem; background: var(--back); color: var(--text);
  font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1, h2, p, ul, dl { margin: 0; padding: 0; }
ul { list-style: none; }
header { padding: .5rem 0 1rem; }
h1 { font-size: 1.5rem; display: flex; align-items: center; gap: .6rem; }
h2 { font-size: 1.05rem; display: flex; align-items: baseline; gap: .5rem; }
.device, .meta, .counts { color: var(--soft); font-size: .875rem; }
.counts { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin-top: .4rem; }
.counts span { color: var(--tone); font-weight: 600; }
.pass { --tone: var(--pass); } .warn { --tone: var(--warn); } .fail { --tone: var(--fail); }
.unknown { --tone: var(--unknown); } .skip { --tone: var(--skip); }
.badge { display: inline-block; flex: none; width: 1.4em; height: 1.4em; line-height: 1.4em; border-radius: 50%;
  text-align: center; font-weight: 700; font-size: .85em; background: var(--tone); color: var(--card); }
section { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--tone);
  border-radius: 6px; padding: .9rem 1rem; margin-bottom: .8rem; }
.findings > li { border-top: 1px solid var(--line); margin-top: .7rem; padding-top: .7rem; }
.target { font-size: .9rem; }
code { font: .95em ui-monospace, monospace; }
.remedy { color: var(--soft); margin-top: .2rem; }
.remedy b { color: var(--text); }
.notice { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .7rem 1rem;
  margin-bottom: .8rem; }
.notice.fail, .notice.warn { border-color: var(--tone); }
.notice ul { list-style: disc; padding-left: 1.2rem; }
details { margin-top: .6rem; }
summary { color: var(--soft); font-size: .875rem; cursor: pointer; padding: .2rem 0; }
table { border-collapse: collapse; font-size: .8rem; width: 100%; }
td { padding: .1rem .4rem .1rem 0; vertical-align: top; }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
footer { color: var(--soft); font-size: .875rem; padding: .5rem 0 2rem; }
footer div { display: flex; gap: .8rem; }
dt { flex: none; width: 7rem; }
dd { margin: 0; color: var(--text); }
nav { display: flex; gap: 1.2rem; margin-top: .8rem; }
a { color: inherit; padding: .3rem 0; }
@media print { details { display: none; } }
`;

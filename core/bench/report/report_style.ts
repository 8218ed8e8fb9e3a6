/** The style of `reportHtml`, light and dark. Colours can be told apart without red and green. */
export const REPORT_STYLE = `
:root { color-scheme: light dark; --text: #1c1e21; --faint: #667; --back: #fff; --panel: #f5f6f8;
  --line: #dde0e6; --kernel: #0b62d6; --copy: #e08a00; --buffer: #8a8f98; --cpu: #0a8f6a;
  --onnx: #c0347b; --bad: #b3261e; --good: #0a7a4b; }
@media (prefers-color-scheme: dark) { :root { --text: #e8eaed; --faint: #9aa3b2; --back: #15171b;
  --panel: #1e2126; --line: #353a43; --kernel: #6aa9ff; --copy: #ffb74d; --buffer: #9aa0aa;
  --cpu: #4fd1a5; --onnx: #ff86bd; --bad: #ff8a80; --good: #6be0a4; } }
body { margin: 0 auto; padding: 24px; max-width: 1080px; background: var(--back);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 32px 0 8px; }
.hosts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 16px 0; }
dt { font-weight: 600; } dd { margin: 0; } small, .faint { color: var(--faint); }
form { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: center; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 12px 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr));
  gap: 16px; }
figure { margin: 0; padding: 12px; background: var(--panel); border-radius: 8px; min-width: 0; }
figcaption { font-weight: 600; } svg { width: 100%; max-width: 560px; height: auto;
  display: block; }
.axis { fill: var(--faint); font-size: 11px; } .middle { text-anchor: middle; }
.end { text-anchor: end; } .grid { stroke: var(--line); }
@media (max-width: 520px) { .axis { font-size: 15px; } }
polyline { fill: none; stroke: currentColor; stroke-width: 2; } circle { fill: currentColor; }
.whisker { stroke: currentColor; opacity: 0.45; stroke-width: 2; }
.kernel { color: var(--kernel); } .copy-kernel { color: var(--copy); }
.buffer-copy { color: var(--buffer); } .cpu { color: var(--cpu); } .onnx { color: var(--onnx); }
.loop { color: var(--kernel); } .network { color: var(--buffer); }
.buffer-copy polyline { stroke-dasharray: 5 4; }
i { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 7px;
  background: currentColor; }
.legend span { display: inline-flex; align-items: center; }
details { margin-top: 8px; overflow-x: auto; } summary { cursor: pointer; }
table { border-collapse: collapse; font-size: 13px; width: 100%; margin-top: 8px; }
th { text-align: right; color: var(--faint); font-weight: 500; }
td { text-align: right; padding: 3px 6px; border-top: 1px solid var(--line); white-space: nowrap;
  font-variant-numeric: tabular-nums; }
th { padding: 3px 6px; } td small { margin-left: 4px; }
td:nth-child(-n+3), th:nth-child(-n+3) { text-align: left; } .chosen { font-weight: 600; }
em { font-style: normal; margin-left: 8px; } .faster { color: var(--good); }
.slower, .problem { color: var(--bad); } .new { color: var(--faint); }
`;

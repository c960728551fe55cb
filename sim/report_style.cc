// How reports look: the style sheet that each page carries.
// SPDX-License-Identifier: Apache-2.0
#include "sim/report_style.h"

namespace ccsched {

const char kReportStyle[] = R"(<style>
:root{--bg:#f6f7f4;--ink:#1a211d;--soft:#5b665f;--rule:#e0e4dd;--card:#fff;
--mark:#b3261e;--good:#0b6e4f;--other:#a9b3ad;--heat:0,114,178}
@media(prefers-color-scheme:dark){:root{--bg:#111517;--ink:#e6ebe7;
--soft:#98a49d;--rule:#2a3234;--card:#191f21;--mark:#ff8a80;--good:#6fd3a8;--other:#59656a;
--heat:86,180,233}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:68rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{font-size:1.9rem;line-height:1.2;letter-spacing:-.01em;margin:0 0 .3rem}
h2{font-size:1.2rem;margin:2.6rem 0 .3rem}
p{color:var(--soft);margin:.2rem 0 .8rem}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;
padding:1rem;min-width:0}
.card h3{font-size:.95rem;margin:0 0 .1rem;font-weight:600}
.card h3 small{font-weight:400;color:var(--soft);font-size:.85rem}
.grid2{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:.8rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem;
margin-top:1.4rem}
.tile b{display:block;font-size:1.7rem;line-height:1.2;letter-spacing:-.02em;
font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:.9rem}.good{color:var(--good)}
h1,.tile span,.keys span,summary{overflow-wrap:anywhere}
.note{font-size:.85rem;margin:.4rem 0 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;
font-variant-numeric:tabular-nums}
th,td{padding:.42rem .55rem;text-align:right;white-space:nowrap;
border-bottom:1px solid var(--rule)}
th{color:var(--soft);font-weight:500;font-size:.82rem}
td:first-child,th:first-child,td.text,th.text{text-align:left}
td:first-child,th>span{white-space:normal;overflow-wrap:anywhere}
td:first-child{min-width:7rem}th>span{display:inline-block;min-width:4rem}
td.text{white-space:normal;min-width:14rem}
.runs td,.runs th{padding-left:.4rem;padding-right:.4rem}
.runs td.wrap{white-space:normal}
tr:last-child td{border-bottom:0}
td.heat{background:rgba(var(--heat),var(--h))}
.bars{width:18%;min-width:4rem}
.track{position:relative;height:.8rem}
.bar{height:100%;border-radius:3px;background:var(--c)}
.bound{position:absolute;top:-.25rem;bottom:-.25rem;width:2px;
background:var(--mark)}
.late{color:var(--mark)}
svg{width:100%;height:auto;display:block}
.grid{stroke:var(--rule);stroke-width:1}
.tick,.label{fill:var(--soft);font-size:11px}.name{fill:var(--ink);font-size:12px;
paint-order:stroke;stroke:var(--card);stroke-width:3px}
.line{fill:none;stroke:var(--c);stroke-width:1.7;stroke-linejoin:round}
.faint{stroke-width:1;stroke-opacity:.75}
.dashed{stroke-dasharray:3 3;stroke-width:1.2}
.area{fill:var(--c);fill-opacity:.32;stroke:none}.dot{fill:var(--c)}
.dotname{fill:var(--card);font-size:9px;font-weight:600}
line.mark{stroke:var(--mark);stroke-dasharray:5 4}
text.mark{fill:var(--mark);font-size:11px}
.key{display:inline-block;width:.75em;height:.75em;border-radius:3px;
margin-right:.4em;vertical-align:-.03em}
.num{display:inline-block;min-width:1.5em;margin-right:.4em;padding:0 .2em;
border-radius:3px;background:var(--other);color:var(--card);font-size:.72em;
font-weight:600;text-align:center}
.keys{color:var(--soft);font-size:.85rem;display:flex;flex-wrap:wrap;
gap:.2rem 1rem;margin-top:.4rem}
details{margin:.5rem 0}summary{cursor:pointer;font-weight:600;padding:.35rem 0}
details details{margin-left:1rem}
details>.grid2,details>.card{margin-top:.4rem}
footer{margin-top:3rem;border-top:1px solid var(--rule);padding-top:1rem;
color:var(--soft);font-size:.85rem}
@media(max-width:46rem){main{padding:1.2rem .8rem 3rem}
.grid2{grid-template-columns:minmax(0,1fr)}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:.6rem}
.tile b{font-size:1.35rem}.card{padding:.75rem}
.more,.runs th:first-child{display:none}td:first-child{min-width:4rem}details details{margin-left:0}
.tick,.label,text.mark{font-size:13px}.name{font-size:14px}
table{font-size:.82rem}th,td{padding:.4rem .3rem}
.fit th{white-space:normal;overflow-wrap:anywhere;font-size:.76rem}
.fit td,.fit th{padding:.4rem .15rem}.fit th>span{min-width:0}
.fit td:first-child,.fit th:first-child{width:1%;min-width:4.6rem}
.runs tr{display:grid;border-bottom:1px solid var(--rule);
grid-template-columns:repeat(auto-fit,minmax(3.8rem,1fr))}
.runs td,.runs th{border:0;padding:.2rem .1rem}
.runs th,.runs td.wrap{white-space:normal}
.runs td:first-child{grid-column:1/-1;padding-top:.45rem}
.jobs th.text{display:none}
.jobs tr{display:grid;grid-template-columns:1.6fr 1fr 1fr 1.2fr;
border-bottom:1px solid var(--rule)}.jobs td,.jobs th{border:0}
.jobs td.text{grid-column:1/-1;padding-top:0;color:var(--soft)}
.runs tr:last-child,.jobs tr:last-child{border-bottom:0}}
</style>)";

}  // namespace ccsched

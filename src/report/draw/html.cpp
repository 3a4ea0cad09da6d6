// SPDX-License-Identifier: Apache-2.0
#include "report/draw/html.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace carnot::report::html {

namespace {

// Hues after Okabe & Ito (2008), which stay apart under the three common colour deficiencies;
// lightness is tuned apart for paper and for dark screens.
constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--paper:#fdfdfc;--panel:#f4f4f1;--ink:#1b1d20;--soft:#5b6168;
--line:#dfe0dc;--axis:#9aa0a6;--strong:#0072b2;--own:#0072b2;--battery:#b4588f;--grid:#d55e00;
--charged:#dfb2cf;--exported:#b5c6d4;--curtailed:#e8d588;--shade:#d9e8f3;
--c1:#0072b2;--c2:#d55e00;--c3:#00845f;--c4:#b4588f;--c5:#8a6d00;--c6:#3d97c9;--c7:#6b6b6b;
--c8:#7a4fc0;--m0:#08306b;--m1:#1f6aa8;--m2:#4a98c9;--m3:#82badb;--m4:#b3d3e8;--m5:#d8e6f2;
--pause:#ececea;--best:#e6f1f8}
@media (prefers-color-scheme:dark){:root{--paper:#15171a;--panel:#1d2024;--ink:#e9eaec;
--soft:#a3a9b1;--line:#31353b;--axis:#6d747c;--strong:#58b0ea;--own:#3f9ad6;--battery:#dd8cbb;
--grid:#f08a3c;--charged:#7d4a69;--exported:#44535f;--curtailed:#8a7b32;--shade:#1f3444;
--c1:#58b0ea;--c2:#f08a3c;--c3:#2fbf91;--c4:#dd8cbb;--c5:#d2b13c;--c6:#8fd0f5;--c7:#a9a9a9;
--c8:#b295ea;--m0:#e4f1fb;--m1:#a9d3ef;--m2:#6cb1de;--m3:#3f88ba;--m4:#2a6390;--m5:#234560;
--pause:#24272b;--best:#1b2d3a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:17px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
main{max-width:1060px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:2.05rem;line-height:1.2;margin:0 0 .35em;letter-spacing:-.01em}
h2{font-size:1.4rem;line-height:1.25;margin:2.4em 0 .5em}
h3{font-size:1.05rem;margin:1.6em 0 .4em}
p{max-width:68ch;margin:.6em 0}h1,h2,h3,p,li,figcaption,summary,label{overflow-wrap:anywhere}
.kicker{color:var(--soft);font-size:.92rem;margin:0 0 1.2em}
.answer{font-size:1.22rem;line-height:1.5;max-width:60ch}
ul.plain{margin:.6em 0;padding-left:1.1em;max-width:68ch}ul.plain li{margin:.3em 0}
.note,.soft{color:var(--soft)}.note{font-size:.92rem}
.warning{border-left:4px solid var(--grid);padding:.5em 1em;background:var(--panel)}
a{color:var(--strong)}
:focus-visible{outline:3px solid var(--strong);outline-offset:2px;border-radius:3px}
.cards{display:grid;grid-template-columns:repeat(3,1fr);gap:12px;
margin:1.6em 0;padding:0;list-style:none}
.cards li{background:var(--panel);border-radius:10px;padding:16px 18px}
.cards b{display:block;font-size:1.75rem;line-height:1.15;letter-spacing:-.01em}
.cards span{display:block;margin-top:.25em}.cards small{color:var(--soft);display:block}
.scroll{overflow-x:auto;margin:1em 0}
table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:.92rem;padding-bottom:.5em}
th,td{padding:.42em .55em;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap;
vertical-align:baseline}
thead th{color:var(--soft);font-weight:600}
th.n,td.n{text-align:right}tbody th{font-weight:500}
td.w{white-space:normal;min-width:16em}
tr.best{background:var(--best)}tr.best th{font-weight:700}
tr.quiet,tr.bound{color:var(--soft)}tr.bound td,tr.bound th{border-bottom-style:dashed}
figure{margin:1.4em 0 2em;break-inside:avoid}
figure svg{display:block;width:100%;height:auto}
figcaption{color:var(--soft);font-size:.92rem;max-width:76ch;margin-top:.6em}
.wide{overflow-x:auto}
.small{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:20px 32px}
details{border:1px solid var(--line);border-radius:10px;padding:.6em 1em;margin:.8em 0}
summary{cursor:pointer;font-weight:600}
pre{overflow-x:auto;font:14px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;background:var(--panel);
border-radius:8px;padding:12px 14px;white-space:pre-wrap;overflow-wrap:anywhere}
code{font:.93em ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.tabs{border:0;margin:1em 0;padding:0;min-width:0}
.tabs>legend{padding:0;color:var(--soft);font-size:.92rem;margin-bottom:.5em}
.tabs>input{position:absolute;opacity:0;pointer-events:none}
.tabs>label{display:inline-block;max-width:100%;padding:.32em .8em;margin:0 6px 8px 0;border:1px solid var(--line);
border-radius:99px;cursor:pointer;font-size:.92rem}
.tabs>label:hover{border-color:var(--axis)}
.tabs>input:checked+label{background:var(--ink);color:var(--paper);border-color:var(--ink)}
.tabs>input:focus-visible+label{outline:3px solid var(--strong);outline-offset:2px}
.tabs>section{display:none}
svg text{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round;
font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
fill:var(--ink)}
svg text.tick,svg text.label,svg text.soft{fill:var(--soft)}
svg text.end{text-anchor:end}svg text.middle{text-anchor:middle}
svg text.bold,svg text.title{font-weight:650}svg text.title{font-size:15px}
svg .gridline{stroke:var(--line);stroke-width:1}svg .axis{stroke:var(--axis);stroke-width:1}
svg .rule{stroke:var(--soft);stroke-width:1.2}
svg .bound{stroke:var(--ink);stroke-width:1.6;stroke-dasharray:2 4;fill:none}
svg .dash{stroke-dasharray:6 4}
svg .frame{fill:none;stroke:var(--line)}
svg .own{fill:var(--own)}svg .battery{fill:var(--battery)}svg .grid{fill:var(--grid)}
svg .charged{fill:var(--charged)}svg .exported{fill:var(--exported)}
svg .curtailed{fill:var(--curtailed)}svg .shade{fill:var(--shade)}svg .pause{fill:var(--pause)}
svg .m0{fill:var(--m0)}svg .m1{fill:var(--m1)}svg .m2{fill:var(--m2)}svg .m3{fill:var(--m3)}
svg .m4{fill:var(--m4)}svg .m5{fill:var(--m5)}
svg .s1,svg .s2,svg .s3,svg .s4,svg .s5,svg .s6,svg .s7,svg .s8,svg .quiet{fill:none;
stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
svg .s1{stroke:var(--c1)}svg .s2{stroke:var(--c2)}svg .s3{stroke:var(--c3)}svg .s4{stroke:var(--c4)}
svg .s5{stroke:var(--c5)}svg .s6{stroke:var(--c6)}svg .s7{stroke:var(--c7)}svg .s8{stroke:var(--c8)}
svg .f1{fill:var(--c1)}svg .f2{fill:var(--c2)}svg .f3{fill:var(--c3)}svg .f4{fill:var(--c4)}
svg .f5{fill:var(--c5)}svg .f6{fill:var(--c6)}svg .f7{fill:var(--c7)}svg .f8{fill:var(--c8)}
svg .quiet{stroke:var(--axis);stroke-width:1.2;opacity:.65}svg .fquiet{fill:var(--axis)}
svg .strong{stroke-width:3}
a{color:inherit;text-underline-offset:.2em}a:focus-visible{outline:3px solid var(--strong);outline-offset:2px}
.contents ul{display:flex;flex-wrap:wrap;gap:.3em 1.2em;list-style:none;margin:1.4em 0 0;padding:.7em 0;
border-block:1px solid var(--line);font-size:.92rem}
@media (max-width:640px){.wide,.scroll{background:linear-gradient(to right,var(--paper) 30%,transparent),
linear-gradient(to left,var(--paper) 30%,transparent) 100% 0,linear-gradient(to right,var(--axis),transparent),
linear-gradient(to left,var(--axis),transparent) 100% 0;background-size:36px 100%,36px 100%,10px 100%,10px 100%;
background-repeat:no-repeat;background-attachment:local,local,scroll,scroll}main{padding:24px 16px 48px}body{font-size:16px}h1{font-size:1.6rem}
.answer{font-size:1.1rem}.wide svg{min-width:640px}.cards{grid-template-columns:1fr 1fr}
.cards b{font-size:1.4rem}caption span{display:block;max-width:calc(100vw - 32px)}}
@media (forced-colors:active){.tabs>input:checked+label{forced-color-adjust:none;
background:Highlight;color:HighlightText}}
@page{size:A4;margin:14mm}
@media print{:root{color-scheme:light}main{max-width:none;padding:0}body{font-size:10.5pt}
.tabs>label,.tabs>input,.tabs>legend,.screen{display:none!important}
.tabs>section.print{display:block!important}h2,h3{break-after:avoid}tr{break-inside:avoid}
.small{grid-template-columns:1fr 1fr;gap:6mm}.wide svg{max-height:112mm}.note{break-after:avoid}
:root{--paper:#fff}.scroll,.wide{overflow:visible}table{font-size:8.5pt}th,td{padding:.3em .4em}
.cards{grid-template-columns:repeat(3,1fr);margin:.8em 0}.cards li{padding:8px 12px}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";

}  // namespace

namespace {

constexpr std::size_t kFewestChapters = 4;

/// The body with an anchor at each chapter and, of longer pages, a list of chapters.
std::string with_contents(std::string_view body) {
  constexpr std::string_view kOpen = "<h2>", kClose = "</h2>";
  std::string out, list;
  std::size_t chapters = 0, first = 0, at = 0;
  for (std::size_t next; (next = body.find(kOpen, at)) != body.npos;) {
    const std::size_t end = body.find(kClose, next);
    if (end == body.npos) break;
    out += body.substr(at, next - at);
    if (chapters++ == 0) first = out.size();
    const std::string_view words = body.substr(next + kOpen.size(), end - next - kOpen.size());
    out += fmt::format("<h2 id=\"c{}\">", chapters);
    list += fmt::format("<li><a href=\"#c{}\">{}</a></li>\n", chapters, words);
    at = next + kOpen.size();
  }
  out += body.substr(at);
  if (chapters >= kFewestChapters)
    out.insert(first, fmt::format("<nav class=\"contents screen\" aria-label=\"Contents\">\n<ul>\n"
                                  "{}</ul>\n</nav>\n",
                                  list));
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= count ? kLetters[three >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace

std::string data_link(std::string_view words, std::string_view file, std::string_view text) {
  return fmt::format(
      "<p class=\"screen\"><a download=\"{}\" "
      "href=\"data:application/json;base64,{}\">{}</a></p>\n",
      escape(file), base64(text), escape(words));
}

std::string page(std::string_view title, std::string_view body, std::string_view extra_css) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; "
      "style-src &#39;unsafe-inline&#39;\">\n"
      "<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n<main>\n{}\n</main>\n</body>\n"
      "</html>\n",
      escape(title), kStyle, extra_css, with_contents(body));
}

std::string figure(std::string_view html, std::string_view caption, bool wide) {
  // A scrolling box must be reachable by keyboard.
  return fmt::format("<figure>\n<div{}>\n{}\n</div>\n<figcaption>{}</figcaption>\n</figure>\n",
                     wide ? " class=\"wide\" tabindex=\"0\"" : "", html, escape(caption));
}

std::string heading(int level, std::string_view text) {
  return fmt::format("<h{0}>{1}</h{0}>\n", level, escape(text));
}

std::string paragraph(std::string_view text, std::string_view style) {
  if (style.empty()) return fmt::format("<p>{}</p>\n", escape(text));
  return fmt::format("<p class=\"{}\">{}</p>\n", style, escape(text));
}

std::string table(std::string_view caption, const std::vector<Column>& columns,
                  const std::vector<Row>& rows) {
  std::string out = "<div class=\"scroll\" tabindex=\"0\">\n<table>\n";
  if (!caption.empty()) out += fmt::format("<caption><span>{}</span></caption>\n", escape(caption));
  out += "<thead><tr>";
  for (const Column& column : columns) {
    if (column.name.empty()) {
      out += "<td></td>";
      continue;
    }
    out += fmt::format("<th scope=\"col\"{}>{}</th>", column.numeric ? " class=\"n\"" : "",
                       escape(column.name));
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const Row& row : rows) {
    out += row.style.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", row.style);
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const bool numeric = i < columns.size() && columns[i].numeric;
      if (i == 0) {
        out += fmt::format("<th scope=\"row\"{}>{}</th>", numeric ? " class=\"n\"" : "",
                           escape(row.cells[i]));
      } else {
        const bool long_text = !numeric && row.cells[i].size() > 40;
        out += fmt::format("<td{}>{}</td>",
                           numeric     ? " class=\"n\""
                           : long_text ? " class=\"w\""
                                       : "",
                           escape(row.cells[i]));
      }
    }
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n</div>\n";
}

std::string details(std::string_view summary, std::string_view html) {
  return fmt::format("<details>\n<summary>{}</summary>\n{}\n</details>\n", escape(summary), html);
}

std::string cards(const std::vector<Card>& cards) {
  std::string out = "<ul class=\"cards\">\n";
  for (const Card& card : cards) {
    out += fmt::format("<li><b>{}</b><span>{}</span>", escape(card.value), escape(card.words));
    if (!card.note.empty()) out += fmt::format("<small>{}</small>", escape(card.note));
    out += "</li>\n";
  }
  return out + "</ul>\n";
}

std::string tabs(std::string_view group, std::string_view legend, const std::vector<Tab>& tabs,
                 std::size_t chosen) {
  std::string out = "<style>\n";
  for (std::size_t i = 0; i < tabs.size(); ++i) {
    out += fmt::format("#{0}{1}:checked~.{0}{1}{{display:block}}\n", group, i);
  }
  out += fmt::format("</style>\n<fieldset class=\"tabs\">\n<legend>{}</legend>\n", escape(legend));
  for (std::size_t i = 0; i < tabs.size(); ++i) {
    out += fmt::format(
        "<input type=\"radio\" name=\"{0}\" id=\"{0}{1}\"{2}><label for=\"{0}{1}\">{3}</label>\n",
        group, i, i == chosen ? " checked" : "", escape(tabs[i].name));
  }
  for (std::size_t i = 0; i < tabs.size(); ++i) {
    out += fmt::format("<section class=\"{}{}{}\">\n{}</section>\n", group, i,
                       tabs[i].print ? " print" : "", tabs[i].body);
  }
  return out + "</fieldset>\n";
}

}  // namespace carnot::report::html

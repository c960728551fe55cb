// Aligns and colours cells.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/table.h"

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

// Decodes one character. REQUIRES: well-formed UTF-8, not empty.
uint32_t Take(std::string_view* text) {
  const auto byte = [&](size_t i) -> uint32_t {
    return static_cast<uint8_t>((*text)[i]);
  };
  const uint32_t first = byte(0);
  uint32_t code = first;
  size_t bytes = 1;
  if (first >= 0xf0) {
    code = (first & 7) << 18 | (byte(1) & 63) << 12 | (byte(2) & 63) << 6 |
           (byte(3) & 63);
    bytes = 4;
  } else if (first >= 0xe0) {
    code = (first & 15) << 12 | (byte(1) & 63) << 6 | (byte(2) & 63);
    bytes = 3;
  } else if (first >= 0xc0) {
    code = (first & 31) << 6 | (byte(1) & 63);
    bytes = 2;
  }
  text->remove_prefix(bytes);
  return code;
}

struct Range {
  uint32_t first, last;
};
template <size_t n>
bool In(const Range (&ranges)[n], uint32_t code) {
  return std::any_of(ranges, ranges + n, [&](const Range& r) {
    return code >= r.first && code <= r.last;
  });
}
constexpr Range kZero[] = {{0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
                           {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
                           {0xfe20, 0xfe2f}};
constexpr Range kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2e80, 0x303e},
    {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
    {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
    {0x20000, 0x3fffd}};

const char* Escape(Style style) {
  switch (style) {
    case Style::kPlain:
      break;
    case Style::kBold:
      return "\x1b[1m";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kGreen:
      return "\x1b[32m";
    case Style::kYellow:
      return "\x1b[33m";
    case Style::kRed:
      return "\x1b[31m";
    case Style::kCyan:
      return "\x1b[36m";
  }
  return "";
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  if (!IsUtf8(text)) return text.size();
  size_t width = 0;
  while (!text.empty()) {
    const uint32_t code = Take(&text);
    width += In(kZero, code) ? 0 : In(kWide, code) ? 2 : 1;
  }
  return width;
}

namespace {

// The longest beginning that fits; not empty if `text` is not, so that whoever
// takes one after the other comes to an end.
std::string_view Head(std::string_view text, size_t width) {
  const bool utf8 = IsUtf8(text);
  std::string_view rest = text;
  size_t used = 0;
  while (!rest.empty()) {
    std::string_view next = rest;
    if (utf8) {
      Take(&next);
    } else {
      next.remove_prefix(1);
    }
    used += DisplayWidth(rest.substr(0, rest.size() - next.size()));
    if (used > width && rest.size() < text.size()) break;
    rest = next;
  }
  return text.substr(0, text.size() - rest.size());
}

}  // namespace

std::string CutToWidth(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::string_view head = Head(text, width - 1);
  if (DisplayWidth(head) > width - 1) head = {};
  return absl::StrCat(ToAbsl(head), "…");
}

std::vector<std::string> WrapToWidth(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  std::string line;
  size_t used = 0;
  const auto flush = [&] {
    lines.push_back(std::exchange(line, std::string()));
    used = 0;
  };
  while (!text.empty()) {
    const size_t blank = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, blank);
    text.remove_prefix(std::min(blank + 1, text.size()));
    if (word.empty()) continue;
    if (used > 0 && used + 1 + DisplayWidth(word) > width) flush();
    if (used > 0) {
      line += ' ';
      ++used;
    }
    while (used == 0 && DisplayWidth(word) > width) {
      const std::string_view part = Head(word, width);
      line = part;
      word.remove_prefix(part.size());
      flush();
    }
    line += word;
    used += DisplayWidth(word);
  }
  if (used > 0 || lines.empty()) flush();
  return lines;
}

std::string Styled(std::string_view text, Style style, bool colour) {
  if (!colour || style == Style::kPlain || text.empty())
    return std::string(text);
  return absl::StrCat(Escape(style), ToAbsl(text), "\x1b[0m");
}

void Table::Add(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = Printable(cell.text, 2000);
  rows_.push_back(std::move(cells));
}

size_t Table::Layout::Excess(size_t width) const {
  size_t total = 0;
  for (size_t c = 0; c < widths.size(); ++c) {
    if (shown[c]) total += widths[c] + 2;
  }
  return total > width + 2 ? total - width - 2 : 0;
}

size_t Table::TextWidth(size_t column) const {
  size_t width = 0;
  for (const auto& row : rows_) {
    width = std::max(width, DisplayWidth(row[column].text));
  }
  return width;
}

bool Table::Says(size_t column) const {
  return std::any_of(rows_.begin(), rows_.end(), [column](const auto& row) {
    return !row[column].text.empty() && row[column].text != "-";
  });
}

// The longest texts first, none below `least`.
void Table::Shorten(size_t width, size_t least, Layout& layout) const {
  while (layout.Excess(width) > 0) {
    size_t longest = columns_.size();
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (!layout.shown[c] || columns_[c].align != Align::kLeft ||
          columns_[c].excess == Excess::kKeep) {
        continue;
      }
      const size_t name = DisplayWidth(layout.names[c]);
      if (layout.widths[c] <= std::max(least, name)) continue;
      if (longest == columns_.size() ||
          layout.widths[c] > layout.widths[longest]) {
        longest = c;
      }
    }
    if (longest == columns_.size()) return;
    --layout.widths[longest];
  }
}

std::vector<std::string> Table::Fit(size_t width, Layout& layout) const {
  std::vector<std::string> left_out;
  if (layout.Excess(width) == 0) return left_out;
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].brief.empty()) continue;
    layout.names[c] = columns_[c].brief;
    layout.widths[c] = std::max(TextWidth(c), DisplayWidth(layout.names[c]));
  }
  for (size_t c = 0; c < columns_.size() && layout.Excess(width) > 0; ++c) {
    if (columns_[c].spare > 0 && !Says(c)) layout.shown[c] = false;
  }
  Shorten(width, 20, layout);
  while (layout.Excess(width) > 0) {
    size_t most = columns_.size();
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (!layout.shown[c] || columns_[c].spare == 0) continue;
      if (most == columns_.size() || columns_[c].spare > columns_[most].spare) {
        most = c;
      }
    }
    if (most == columns_.size()) break;
    layout.shown[most] = false;
    if (!columns_[most].name.empty()) left_out.push_back(columns_[most].name);
  }
  Shorten(width, 12, layout);
  return left_out;
}

void Table::PrintRow(const std::vector<Cell>& cells, const Layout& layout,
                     bool colour, std::ostream& out) const {
  std::vector<std::vector<std::string>> texts;
  size_t lines = 1;
  for (size_t c = 0; c < cells.size(); ++c) {
    const std::string& text = cells[c].text;
    texts.push_back(columns_[c].excess == Excess::kWrap && layout.shown[c] &&
                            DisplayWidth(text) > layout.widths[c]
                        ? WrapToWidth(text, layout.widths[c])
                        : std::vector{CutToWidth(text, layout.widths[c])});
    if (layout.shown[c]) lines = std::max(lines, texts.back().size());
  }
  for (size_t i = 0; i < lines; ++i) {
    std::string line;
    bool first = true;
    for (size_t c = 0; c < cells.size(); ++c) {
      if (!layout.shown[c]) continue;
      const std::string text = i < texts[c].size() ? texts[c][i] : "";
      const std::string blanks(layout.widths[c] - DisplayWidth(text), ' ');
      if (!std::exchange(first, false)) line += "  ";
      if (columns_[c].align == Align::kRight) line += blanks;
      line += Styled(text, cells[c].style, colour);
      if (columns_[c].align == Align::kLeft) line += blanks;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << "\n";
  }
}

std::vector<std::string> Table::Print(std::ostream& out, bool colour,
                                      size_t width) const {
  Layout layout;
  layout.shown.assign(columns_.size(), true);
  for (size_t c = 0; c < columns_.size(); ++c) {
    layout.names.push_back(columns_[c].name);
    layout.widths.push_back(
        std::max(TextWidth(c), DisplayWidth(layout.names[c])));
  }
  std::vector<std::string> left_out;
  // Without spare columns it is left to the terminal to break lines: a text
  // that was asked for is not cut.
  const bool fits_itself =
      std::any_of(columns_.begin(), columns_.end(), [](const Column& column) {
        return column.spare > 0 || column.excess == Excess::kWrap;
      });
  if (width > 0 && fits_itself) left_out = Fit(width, layout);
  std::vector<Cell> header;
  for (const std::string& name : layout.names) {
    header.emplace_back(name, Style::kBold);
  }
  PrintRow(header, layout, colour, out);
  for (const auto& row : rows_) PrintRow(row, layout, colour, out);
  return left_out;
}

}  // namespace ccsched

// Aligns and colours cells.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/table.h"

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

std::string CutToWidth(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  std::string_view rest = text;
  size_t used = 0;
  while (width > 0 && !rest.empty()) {
    std::string_view next = rest;
    if (IsUtf8(text)) {
      Take(&next);
    } else {
      next.remove_prefix(1);
    }
    const size_t wide = DisplayWidth(rest.substr(0, rest.size() - next.size()));
    if (used + wide > width - 1) break;
    used += wide;
    rest = next;
  }
  return absl::StrCat(ToAbsl(text.substr(0, text.size() - rest.size())),
                      width > 0 ? "…" : "");
}

std::string Styled(std::string_view text, Style style, bool colour) {
  if (!colour || style == Style::kPlain || text.empty())
    return std::string(text);
  return absl::StrCat(Escape(style), ToAbsl(text), "\x1b[0m");
}

std::string CsvLine(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    if (fields[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (const char c : fields[i]) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  return line + "\n";
}

void Table::Add(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = Printable(cell.text, 2000);
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::Widths() const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = DisplayWidth(columns_[c].name);
    for (const auto& row : rows_) {
      width = std::max(width, DisplayWidth(row[c].text));
    }
    widths.push_back(width);
  }
  return widths;
}

std::vector<std::string> Table::Fit(size_t width, std::vector<size_t>& widths,
                                    std::vector<bool>& shown) const {
  const auto says_something = [this](size_t c) {
    return std::any_of(rows_.begin(), rows_.end(), [c](const auto& row) {
      return !row[c].text.empty() && row[c].text != "-";
    });
  };
  const auto excess = [&]() -> size_t {
    size_t total = 0;
    for (size_t c = 0; c < widths.size(); ++c) {
      if (shown[c]) total += widths[c] + 2;
    }
    return total > width + 2 ? total - width - 2 : 0;
  };
  // Cuts the longest texts first, none below `least`.
  const auto cut = [&](size_t least) {
    while (excess() > 0) {
      size_t longest = widths.size();
      for (size_t c = 0; c < widths.size(); ++c) {
        if (!shown[c] || columns_[c].align != Align::kLeft) continue;
        if (widths[c] <= std::max(least, DisplayWidth(columns_[c].name))) {
          continue;
        }
        if (longest == widths.size() || widths[c] > widths[longest]) {
          longest = c;
        }
      }
      if (longest == widths.size()) return;
      --widths[longest];
    }
  };
  std::vector<std::string> left_out;
  for (size_t c = 0; c < widths.size() && excess() > 0; ++c) {
    if (columns_[c].spare > 0 && !says_something(c)) shown[c] = false;
  }
  cut(20);
  while (excess() > 0) {
    size_t most = widths.size();
    for (size_t c = 0; c < widths.size(); ++c) {
      if (!shown[c] || columns_[c].spare == 0) continue;
      if (most == widths.size() || columns_[c].spare > columns_[most].spare) {
        most = c;
      }
    }
    if (most == widths.size()) break;
    shown[most] = false;
    left_out.push_back(columns_[most].name);
  }
  cut(12);
  return left_out;
}

std::vector<std::string> Table::Print(std::ostream& out, bool colour,
                                      size_t width) const {
  std::vector<size_t> widths = Widths();
  std::vector<bool> shown(columns_.size(), true);
  std::vector<std::string> left_out;
  // Without spare columns it is left to the terminal to break lines: a text
  // that was asked for is not cut.
  const bool fits_itself =
      std::any_of(columns_.begin(), columns_.end(),
                  [](const Column& column) { return column.spare > 0; });
  if (width > 0 && fits_itself) left_out = Fit(width, widths, shown);
  const auto print = [&](const std::vector<Cell>& cells) {
    std::string line;
    bool first = true;
    for (size_t c = 0; c < cells.size(); ++c) {
      if (!shown[c]) continue;
      const std::string text = CutToWidth(cells[c].text, widths[c]);
      const std::string blanks(widths[c] - DisplayWidth(text), ' ');
      if (!std::exchange(first, false)) line += "  ";
      if (columns_[c].align == Align::kRight) line += blanks;
      line += Styled(text, cells[c].style, colour);
      if (columns_[c].align == Align::kLeft) line += blanks;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << "\n";
  };
  std::vector<Cell> header;
  for (const Column& column : columns_)
    header.emplace_back(column.name, Style::kBold);
  print(header);
  for (const auto& row : rows_) print(row);
  return left_out;
}

}  // namespace ccsched

// Tables for people.
// SPDX-License-Identifier: Apache-2.0
//
//   Table table({{"JOB", Align::kRight}, {"NAME"}});
//   table.Add({{"12"}, {"train", Style::kBold}});
//   table.Print(out, colour);
#ifndef CCSCHED_SCHEDULER_WIRE_TABLE_H_
#define CCSCHED_SCHEDULER_WIRE_TABLE_H_

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace ccsched {

enum class Align { kLeft, kRight };
enum class Excess { kCut, kWrap, kKeep };
enum class Style { kPlain, kBold, kDim, kGreen, kYellow, kRed, kCyan };

struct Column {
  std::string name;
  Align align = Align::kLeft;
  // Where there is no room for all columns, the highest are left out first; 0
  // never.
  int spare = 0;
  // What is done with a text that is too long: it is cut, goes on in the lines
  // below, or stays as it is.
  Excess excess = Excess::kCut;
  // The name in fewer letters, for where there is no room; empty: it has none.
  std::string brief;
};
struct Cell {
  Cell(std::string t, Style s = Style::kPlain)  // NOLINT: a text is a cell
      : text(std::move(t)), style(s) {}
  Cell(const char* t, Style s = Style::kPlain)  // NOLINT
      : text(t), style(s) {}
  std::string text;
  Style style;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // REQUIRES: as many cells as columns. Control characters are shown as \xNN.
  void Add(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }
  // Columns two spaces apart, as wide as their widest cell; no trailing
  // blanks. Without rows only the header. In `width` columns of a terminal (0:
  // as many as it takes) long texts are cut or wrapped and spare columns left
  // out; returns the names of those that had something in them.
  std::vector<std::string> Print(std::ostream& out, bool colour,
                                 size_t width = 0) const;

 private:
  struct Layout {
    std::vector<std::string> names;
    std::vector<size_t> widths;
    std::vector<bool> shown;
    size_t Excess(size_t width) const;  // over `width`
  };
  size_t TextWidth(size_t column) const;
  bool Says(size_t column) const;
  void Shorten(size_t width, size_t least, Layout& layout) const;
  std::vector<std::string> Fit(size_t width, Layout& layout) const;
  void PrintRow(const std::vector<Cell>& cells, const Layout& layout,
                bool colour, std::ostream& out) const;

  const std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// How many columns of a terminal a UTF-8 text takes: 2 for East Asian wide
// characters and emoji, 0 for combining marks.
// Source: Unicode 15, EastAsianWidth.txt, the blocks that matter.
size_t DisplayWidth(std::string_view text);

// The lines of a UTF-8 text that has to fit: broken at blanks, and within a
// word only where that is longer than a line. REQUIRES: width > 1.
std::vector<std::string> WrapToWidth(std::string_view text, size_t width);

// As much of a UTF-8 text as fits, with "…" where something was cut.
std::string CutToWidth(std::string_view text, size_t width);

// `text` in a style, by ANSI escapes; as it is if not `colour`.
std::string Styled(std::string_view text, Style style, bool colour);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_TABLE_H_

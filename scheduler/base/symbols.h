// Interned strings: the core compares numbers, people read names.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_SYMBOLS_H_
#define CCSCHED_SCHEDULER_BASE_SYMBOLS_H_

#include <deque>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "scheduler/base/ids.h"

namespace ccsched {

// Not thread safe. Symbol(0) is the empty string.
class SymbolTable {
 public:
  SymbolTable();
  SymbolTable(const SymbolTable&) = delete;
  SymbolTable& operator=(const SymbolTable&) = delete;

  // Returns the symbol of `text`, a new one at the first sight of it.
  Symbol Intern(std::string_view text);
  // The symbol of `text`, or that of the empty string if it was never seen.
  Symbol Find(std::string_view text) const;
  // REQUIRES: `symbol` came from this table.
  const std::string& Name(Symbol symbol) const;
  size_t size() const { return names_.size(); }

 private:
  std::deque<std::string> names_;
  absl::flat_hash_map<absl::string_view, Symbol> index_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_SYMBOLS_H_

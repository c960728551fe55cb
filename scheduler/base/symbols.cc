// Interned strings.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/symbols.h"

#include "scheduler/base/strings.h"

namespace ccsched {

SymbolTable::SymbolTable() { Intern(""); }

Symbol SymbolTable::Intern(std::string_view text) {
  const auto found = index_.find(ToAbsl(text));
  if (found != index_.end()) return found->second;
  const Symbol symbol(static_cast<uint32_t>(names_.size()));
  names_.emplace_back(text);
  index_.emplace(names_.back(), symbol);
  return symbol;
}

Symbol SymbolTable::Find(std::string_view text) const {
  const auto found = index_.find(ToAbsl(text));
  return found == index_.end() ? Symbol() : found->second;
}

const std::string& SymbolTable::Name(Symbol symbol) const {
  return names_[symbol.value()];
}

}  // namespace ccsched

#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace reactor::bench {

/// Rows of text in columns as wide as they need to be: the first to the left, the others, numbers,
/// to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}

  void addRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void print(std::ostream& out) const;

 private:
  std::vector<size_t> widths() const;

  std::vector<std::vector<std::string>> rows_;
};

std::string withThousands(double number);               ///< `123,457`
std::string withDecimals(double number, int decimals);  ///< `0.98`

}  // namespace reactor::bench

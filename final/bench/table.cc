#include "table.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

namespace reactor::bench {

void Table::print(std::ostream& out) const {
  const std::vector<size_t> widths = this->widths();
  for (size_t r = 0; r < rows_.size(); ++r) {
    for (size_t c = 0; c < rows_[r].size(); ++c) {
      out << (c == 0 ? std::left : std::right) << std::setw(static_cast<int>(widths[c]))
          << rows_[r][c] << (c + 1 < rows_[r].size() ? "  " : "\n");
    }
    if (r > 0) continue;
    for (size_t c = 0; c < widths.size(); ++c) {
      out << std::string(widths[c], '-') << (c + 1 < widths.size() ? "  " : "\n");
    }
  }
  out << std::flush;
}

std::vector<size_t> Table::widths() const {
  std::vector<size_t> result(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t c = 0; c < row.size(); ++c) result[c] = std::max(result[c], row[c].size());
  }
  return result;
}

std::string withThousands(double number) {
  const std::string digits = std::to_string(std::llround(number));
  std::string result;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) result.push_back(',');
    result.push_back(digits[i]);
  }
  return result;
}

std::string withDecimals(double number, int decimals) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(decimals) << number;
  return text.str();
}

}  // namespace reactor::bench

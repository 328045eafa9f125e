#pragma once

#include <algorithm>
#include <vector>

namespace reactor::bench {

struct Summary {
  double median = 0;
  double least = 0;
  double most = 0;
};

/// Of `values`, at least one.
inline Summary summarize(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

}  // namespace reactor::bench

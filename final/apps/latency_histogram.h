#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <vector>

namespace reactor {

/// Counts durations, exact to 3 % however long they are, in a few kilobytes: for each power of two
/// of nanoseconds, 32 counters (the idea of HdrHistogram).
class LatencyHistogram {
 public:
  void add(std::chrono::nanoseconds latency) {
    const auto value = static_cast<uint64_t>(std::max<int64_t>(latency.count(), 0));
    ++counts_[indexOf(value)];
    ++count_;
    max_ = std::max(max_, value);
  }

  uint64_t count() const { return count_; }
  std::chrono::nanoseconds max() const { return toDuration(max_); }

  /// So many of 100 are not longer; `percent` in 0..100.
  std::chrono::nanoseconds percentile(double percent) const {
    const auto wanted = static_cast<uint64_t>(static_cast<double>(count_) * percent / 100);
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > 0 && seen >= wanted) return toDuration(std::min(upperEndOf(i), max_));
    }
    return max();
  }

 private:
  static constexpr int kSubBits = 5;
  static constexpr uint64_t kSub = 1 << kSubBits;

  static std::chrono::nanoseconds toDuration(uint64_t value) {
    return std::chrono::nanoseconds(static_cast<int64_t>(value));
  }

  // Values below kSub have a counter each; above, the highest bit and the five after it count.
  static size_t indexOf(uint64_t value) {
    if (value < kSub) return value;
    const int shift = static_cast<int>(std::bit_width(value)) - 1 - kSubBits;
    return static_cast<size_t>(static_cast<uint64_t>(shift + 1) * kSub + (value >> shift) - kSub);
  }

  static uint64_t upperEndOf(size_t index) {
    if (index < kSub) return index;
    const uint64_t shift = index / kSub - 1;
    return ((index % kSub + kSub + 1) << shift) - 1;
  }

  std::vector<uint64_t> counts_ = std::vector<uint64_t>((64 - kSubBits + 1) * kSub);
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

}  // namespace reactor

#pragma once

#include <chrono>
#include <thread>

namespace reactor::testing {

#if defined(__has_feature)
#define REACTOR_HAS_FEATURE(name) __has_feature(name)
#else
#define REACTOR_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_THREAD__) || REACTOR_HAS_FEATURE(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#if defined(__SANITIZE_ADDRESS__) || REACTOR_HAS_FEATURE(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#undef REACTOR_HAS_FEATURE

/// Whether the tests, and so the servers built along with them, run under a sanitizer: slower by
/// a factor of five to fifteen, and much larger.
inline constexpr bool kSanitized = kThreadSanitizer || kAddressSanitizer;

/// How long a test waits for what has to happen before it calls it a failure. A passing test
/// never waits that long, so this can be generous: a busy machine must not fail a test.
inline constexpr std::chrono::milliseconds kPatience{kSanitized ? 30'000 : 10'000};

/// Waits until `condition()` holds and returns true, or gives up after `patience` and returns
/// false. The condition is looked at once more at the very end, however late that is.
template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto pause = std::chrono::microseconds(200);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    std::this_thread::sleep_for(pause);
    if (pause < std::chrono::milliseconds(10)) pause *= 2;
  }
  return true;
}

}  // namespace reactor::testing

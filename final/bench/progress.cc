#include "progress.h"

#include <unistd.h>

#include <cstdio>

namespace reactor::bench {

namespace {

// ECMA-48: to the start of the line, and erase it to its end.
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (terminal_) std::fputs(kClearLine, stderr);
}

void Progress::show(const std::string& text) {
  if (terminal_) {
    std::fprintf(stderr, "%s%s", kClearLine, text.c_str());
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

}  // namespace reactor::bench

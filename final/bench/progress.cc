#include "progress.h"

#include <unistd.h>

#include <cstdio>

namespace reactor::bench {

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (terminal_) rewriteLine("");
}

void Progress::begin(const std::string& what) {
  if (terminal_) rewriteLine(what);
}

void Progress::end(const std::string& result) {
  if (terminal_) {
    rewriteLine(result);
  } else {
    std::fprintf(stderr, "%s\n", result.c_str());
  }
}

void Progress::rewriteLine(const std::string& text) const {
  // ECMA-48: to the start of the line, and erase to its end.
  std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
}

}  // namespace reactor::bench

#include "net/net_error.h"

#include <string>

namespace reactor {

namespace {

class NetErrorCategory : public std::error_category {
 public:
  const char* name() const noexcept override { return "net"; }

  std::string message(int error) const override {
    switch (static_cast<NetError>(error)) {
      case NetError::kIdleTimeout:
        return "idle timeout";
      case NetError::kServerStopped:
        return "server stopped";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(NetError error) {
  static const NetErrorCategory category;
  return {static_cast<int>(error), category};
}

}  // namespace reactor

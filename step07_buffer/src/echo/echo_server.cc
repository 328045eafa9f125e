#include "echo/echo_server.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

namespace reactor {

namespace {

using std::chrono::milliseconds;

// How much computing `request` asks for: `burn MILLISECONDS`, or none.
milliseconds costOf(std::string_view request) {
  constexpr std::string_view kBurn = "burn ";
  constexpr int kMost = 10'000;
  if (!request.starts_with(kBurn)) return milliseconds(0);
  int cost = 0;
  std::from_chars(request.data() + kBurn.size(), request.data() + request.size(), cost);
  return milliseconds(std::clamp(cost, 0, kMost));
}

// Stands for an expensive computation: keeps a core busy.
void burn(milliseconds cost) {
  const auto end = std::chrono::steady_clock::now() + cost;
  while (std::chrono::steady_clock::now() < end) {
  }
}

}  // namespace

EchoServer::EchoServer(EventLoop& loop, const InetAddress& address) : server_(loop, address) {
  server_.setMessageCallback(
      [this](Connection& connection, Buffer& input) { handleMessages(connection, input); });
}

void EchoServer::handleMessages(Connection& connection, Buffer& input) {
  std::error_code error;
  while (const auto request = codec_.decode(input, error)) {
    burn(costOf(*request));
    connection.send(codec_.encode(*request));
  }
  if (error) connection.close(error);
}

}  // namespace reactor

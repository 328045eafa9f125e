#include "echo/echo_server.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>

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

EchoServer::EchoServer(EventLoop& loop, const InetAddress& address, const Options& options)
    : server_(loop, address, options.tcp) {
  if (options.workers > 0) workers_.emplace(options.workers);
  server_.setMessageCallback(
      [this](Connection& connection, Buffer& input) { handleMessages(connection, input); });
}

void EchoServer::stop(std::function<void()> done) { server_.stop(std::move(done)); }

void EchoServer::handleMessages(Connection& connection, Buffer& input) {
  if (!answerAll(connection, input)) connection.pauseReading();
}

// False if it stopped at an expensive request: what comes after it has to wait for its answer.
bool EchoServer::answerAll(Connection& connection, Buffer& input) {
  std::error_code error;
  while (const auto request = codec_.decode(input, error)) {
    const milliseconds cost = costOf(*request);
    if (cost > milliseconds(0) && workers_) {
      answerLater(connection, std::string(*request), cost);
      return false;
    }
    burn(cost);
    connection.send(codec_.encode(*request));
  }
  if (error) connection.close(error);
  return true;
}

void EchoServer::answerLater(Connection& connection, std::string request, milliseconds cost) {
  // The worker must not touch the connection, nor keep it alive: its answer travels back as a task.
  workers_->run([this, &loop = connection.loop(), weak = connection.weak_from_this(),
                 request = std::move(request), cost] {
    burn(cost);
    loop.queueInLoop([this, weak, reply = codec_.encode(request)] {
      const auto waiting = weak.lock();
      if (!waiting || !waiting->connected()) return;
      waiting->send(reply);
      if (answerAll(*waiting, waiting->input())) waiting->resumeReading();
    });
  });
}

}  // namespace reactor

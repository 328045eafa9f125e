#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>

#include "codec/length_codec.h"
#include "net/channel.h"
#include "net/event_loop.h"
#include "net/tcp_client.h"
#include "program.h"

namespace reactor {

namespace {

/// Standard input as lines, on an event loop. Files are never "not ready": epoll(7) refuses them,
/// so they are read in pieces, one a turn.
class TerminalInput {
 public:
  using BytesCallback = std::function<void(std::string_view)>;  ///< Empty: end of input.

  TerminalInput(EventLoop& loop, BytesCallback callback)
      : loop_(loop), channel_(loop, STDIN_FILENO), callback_(std::move(callback)) {
    channel_.setReadCallback([this] { read(); });
  }

  /// Reads until pause(), or the end.
  void resume() {
    if (reading_ || ended_) return;
    reading_ = true;
    if (!isFile_) {
      try {
        return channel_.enableReading();
      } catch (const std::system_error& error) {
        if (error.code() != errnoCode(EPERM)) throw;
        isFile_ = true;
      }
    }
    loop_.queueInLoop([this] { read(); });
  }

  void pause() {
    reading_ = false;
    channel_.remove();
  }

 private:
  void read() {
    if (!reading_) return;
    char bytes[16 * 1024];
    const ssize_t n = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) {
      pause();
      ended_ = true;
      return callback_({});
    }
    if (isFile_) loop_.queueInLoop([this] { read(); });
    callback_({bytes, static_cast<size_t>(n)});
  }

  EventLoop& loop_;
  Channel channel_;
  BytesCallback callback_;
  bool isFile_ = false;
  bool reading_ = false;
  bool ended_ = false;
};

/// What others write must not move our cursor or change our title: control characters are shown
/// as `?`.
std::string printable(std::string_view message) {
  std::string text(message);
  const auto isControl = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; };
  std::replace_if(text.begin(), text.end(), isControl, '?');
  return text;
}

/// Terminal and connection on one loop. The terminal is read only while there is a connection that
/// keeps up, so no line is lost.
class ChatClient {
 public:
  ChatClient(EventLoop& loop, const InetAddress& server, const LengthCodec& codec,
             const std::string& name)
      : loop_(loop),
        codec_(codec),
        prefix_(name.empty() ? "" : name + ": "),
        input_(loop, [this](std::string_view bytes) { handleInput(bytes); }),
        client_(loop, server) {
    client_.setReconnect(true);
    client_.setConnectionCallback([this](Connection& connection) { handleConnection(connection); });
    client_.setMessageCallback(
        [this](Connection& connection, Buffer& input) { handleMessages(connection, input); });
    client_.setWriteCompleteCallback([this](Connection&) {
      if (!ended_) input_.resume();
    });
    client_.setRetryCallback([](std::error_code error, std::chrono::milliseconds delay) {
      std::cerr << "chat_client: cannot connect: " << error.message() << "; next try in "
                << static_cast<double>(delay.count()) / 1000 << " s" << std::endl;
    });
    client_.connect();
  }

 private:
  static constexpr size_t kMuchBacklog = 64 * 1024;

  void handleConnection(Connection& connection) {
    if (connection.connected()) {
      std::cerr << "chat_client: connected to " << connection.peer().toString() << std::endl;
      input_.resume();
    } else if (ended_) {
      loop_.quit();
    } else {
      const std::error_code reason = connection.closeReason();
      std::cerr << "chat_client: connection lost: "
                << (reason ? reason.message() : "closed by the server") << std::endl;
      input_.pause();
    }
  }

  void handleMessages(Connection& connection, Buffer& input) {
    std::error_code error;
    while (const auto message = codec_.decode(input, error)) {
      std::cout << printable(*message) << '\n';
    }
    std::cout.flush();
    if (error) connection.close(error);
  }

  void handleInput(std::string_view bytes) {
    partialLine_.append(bytes);
    size_t begin = 0;
    for (size_t end; (end = partialLine_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      sendLine(std::string_view(partialLine_).substr(begin, end - begin));
    }
    partialLine_.erase(0, begin);
    if (bytes.empty()) {
      sendLine(partialLine_);
      ended_ = true;
      client_.disconnect();
    } else if (client_.connection()->backlog() > kMuchBacklog) {
      input_.pause();  // writeComplete resumes.
    }
  }

  void sendLine(std::string_view line) {
    if (line.empty()) return;  // No message is empty.
    const std::string message = prefix_ + std::string(line);
    if (message.size() > codec_.maxPayload()) {
      std::cerr << "chat_client: not sent: a line of " << message.size() << " bytes; at most "
                << codec_.maxPayload() << " fit into a message" << std::endl;
    } else {
      client_.connection()->send(codec_.encode(message));
    }
  }

  EventLoop& loop_;
  const LengthCodec codec_;
  const std::string prefix_;
  std::string partialLine_;
  bool ended_ = false;  ///< The input has.
  TerminalInput input_;
  TcpClient client_;
};

}  // namespace

}  // namespace reactor

int main(int argc, char** argv) {
  CLI::App app(
      "Sends each line of standard input to a chat server and prints what others write.\n"
      "Connects again when the connection is lost. Ends with the input.",
      "chat_client");
  std::string host = "127.0.0.1";
  uint16_t port = 9877;
  std::string name;
  auto checksum = reactor::Checksum::kCrc32;
  app.add_option("host", host, "Server")->capture_default_str();
  app.add_option("port", port, "Its port")->check(CLI::Range(1, 65535))->capture_default_str();
  app.add_option("-n,--name", name, "Put before each line, with a colon");
  reactor::addChecksumOption(app, checksum);
  return reactor::runProgram(app, argc, argv, [&] {
    reactor::EventLoop loop;
    const reactor::ChatClient client(
        loop, reactor::InetAddress::resolve(host, port),
        reactor::LengthCodec(reactor::LengthCodec::kDefaultMaxPayload, checksum), name);
    loop.loop();
    return 0;
  });
}

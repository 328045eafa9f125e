// An echo server on libuv, as its users write one: a shared read buffer, and uv_try_write before a
// queued write.

#include <netinet/in.h>
#include <uv.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>

#include "program.h"

namespace {

using namespace reactor::bench;

// One buffer will do for all clients: libuv fills it and hands it over in one go.
std::array<char, 64 * 1024> readBuffer;

struct PendingWrite {
  uv_write_t request;
  std::string bytes;
};

void check(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + uv_strerror(result));
}

void provideBuffer(uv_handle_t*, size_t, uv_buf_t* buffer) {
  *buffer = uv_buf_init(readBuffer.data(), static_cast<unsigned>(readBuffer.size()));
}

void destroyClient(uv_handle_t* client) { delete reinterpret_cast<uv_tcp_t*>(client); }

void closeClient(uv_stream_t* client) {
  auto* handle = reinterpret_cast<uv_handle_t*>(client);
  if (!uv_is_closing(handle)) uv_close(handle, destroyClient);
}

void sendRest(uv_stream_t* client, std::string bytes) {
  auto write = std::make_unique<PendingWrite>();
  write->bytes = std::move(bytes);
  write->request.data = write.get();
  const uv_buf_t buffer =
      uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  const int result = uv_write(&write->request, client, &buffer, 1, [](uv_write_t* request, int) {
    delete static_cast<PendingWrite*>(request->data);
  });
  if (result == 0) {
    write.release();
  } else {
    closeClient(client);
  }
}

void echo(uv_stream_t* client, ssize_t size, const uv_buf_t* buffer) {
  if (size < 0) return closeClient(client);
  if (size == 0) return;  // EAGAIN.
  const uv_buf_t bytes = uv_buf_init(buffer->base, static_cast<unsigned>(size));
  const int tried = uv_try_write(client, &bytes, 1);
  if (tried < 0 && tried != UV_EAGAIN) return closeClient(client);
  const ssize_t sent = tried < 0 ? 0 : tried;
  if (sent < size) sendRest(client, {buffer->base + sent, static_cast<size_t>(size - sent)});
}

void acceptNext(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* client = new uv_tcp_t;
  uv_tcp_init(listener->loop, client);
  auto* stream = reinterpret_cast<uv_stream_t*>(client);
  if (uv_accept(listener, stream) < 0) return closeClient(stream);
  uv_tcp_nodelay(client, 1);
  uv_read_start(stream, provideBuffer, echo);
}

uint16_t portOf(const uv_tcp_t& listener) {
  sockaddr_storage address{};
  int size = sizeof address;
  check(uv_tcp_getsockname(&listener, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

void serve(uint16_t port) {
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener;
  check(uv_tcp_init(loop, &listener), "uv_tcp_init");
  sockaddr_in address{};
  check(uv_ip4_addr("127.0.0.1", port, &address), "uv_ip4_addr");
  check(uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0), "bind");
  check(uv_listen(reinterpret_cast<uv_stream_t*>(&listener), SOMAXCONN, acceptNext), "listen");
  announce(portOf(listener));
  uv_run(loop, UV_RUN_DEFAULT);
}

}  // namespace

int main(int argc, char** argv) {
  return runEchoServer("libuv_echo", "Echo server on libuv.", argc, argv, serve);
}

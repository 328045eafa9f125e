#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "net/inet_address.h"

namespace reactor {
namespace {

TEST(InetAddress, DefaultIsAnyAddressAndAnyPort) {
  EXPECT_EQ("0.0.0.0:0", InetAddress().toString());
}

TEST(InetAddress, PrintsWhatItParses) {
  for (const std::string text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80",
                                 "[::]:0", "[2001:db8::7]:9877"}) {
    EXPECT_EQ(text, InetAddress::parse(text).toString());
  }
}

TEST(InetAddress, TellsItsFamilyPortAndSize) {
  const InetAddress v4 = InetAddress::parse("127.0.0.1:9877");
  EXPECT_EQ(AF_INET, v4.family());
  EXPECT_EQ(9877, v4.port());
  EXPECT_EQ(sizeof(sockaddr_in), v4.size());
  const InetAddress v6 = InetAddress::parse("[::1]:9877");
  EXPECT_EQ(AF_INET6, v6.family());
  EXPECT_EQ(9877, v6.port());
  EXPECT_EQ(sizeof(sockaddr_in6), v6.size());
}

TEST(InetAddress, IsEqualIfFamilyAddressAndPortAre) {
  EXPECT_EQ(InetAddress::parse("127.0.0.1:80"), InetAddress::parse("127.0.0.1:80"));
  EXPECT_EQ(InetAddress::parse("[::1]:80"), InetAddress::parse("[::1]:80"));
  EXPECT_FALSE(InetAddress::parse("127.0.0.1:80") == InetAddress::parse("127.0.0.1:81"));
  EXPECT_FALSE(InetAddress::parse("127.0.0.1:80") == InetAddress::parse("127.0.0.2:80"));
  EXPECT_FALSE(InetAddress::parse("[::1]:80") == InetAddress::parse("[::2]:80"));
  EXPECT_FALSE(InetAddress::parse("0.0.0.0:80") == InetAddress::parse("[::]:80"));
}

TEST(InetAddress, RefusesWhatIsNoAddress) {
  for (const std::string text :
       {"", ":", "127.0.0.1", "127.0.0.1:", ":80", "::1:80", "[::1]", "[]:80", "127.0.0.1:port",
        "127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:80 ", "127.0.0.1:8o"}) {
    EXPECT_THROW(InetAddress::parse(text), std::invalid_argument) << text;
  }
}

TEST(InetAddress, NamesTheHostThatDoesNotExist) {
  try {
    InetAddress::resolve("no-such-host.invalid", 80);
    FAIL() << "found it";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string::npos, std::string(error.what()).find("no-such-host.invalid"));
  }
}

TEST(InetAddress, ResolvesAName) { EXPECT_EQ(80, InetAddress::resolve("localhost", 80).port()); }

}  // namespace
}  // namespace reactor

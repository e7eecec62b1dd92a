#include "runner/address.h"

#include <gtest/gtest.h>

namespace slipway::runner {
namespace {

TEST(HttpUrls, AreReadInParts) {
  const struct {
    const char* text;
    HttpUrl url;
    const char* host;
  } rows[] = {
      {"http://web.demo.svc:8080", {false, "web.demo.svc", "8080", ""}, "web.demo.svc:8080"},
      {"http://web/", {false, "web", "80", ""}, "web"},
      {"https://prometheus/select/0", {true, "prometheus", "443", "/select/0"}, "prometheus"},
      {"https://prometheus:80/a+b/", {true, "prometheus", "80", "/a+b"}, "prometheus:80"},
      {"http://[fd00::7]:9090", {false, "fd00::7", "9090", ""}, "[fd00::7]:9090"},
  };
  for (const auto& row : rows) {
    const auto url = ParseHttpUrl(row.text);
    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(*url, row.url) << row.text;
    EXPECT_EQ(HostHeader(*url), row.host) << row.text;
  }
}

TEST(HttpUrls, ThatAreNoneAreRefused) {
  for (const char* text :
       {"", "web", "ftp://web", "http://", "http://web:0", "http://web:99999", "http://web:8x",
        "http://bob@web", "http://web/?q=1", "http://web/#a", "http://we b", "http://[::1",
        "http://fd00::7:80", "http://web\r\nX: y", "HTTP://web"}) {
    EXPECT_FALSE(ParseHttpUrl(text)) << text;
  }
}

TEST(PodAddresses, AreAddressesAndPorts) {
  EXPECT_EQ(ParseIpPort("10.0.0.7:8080")->ip, "10.0.0.7");
  EXPECT_EQ(ParseIpPort("10.0.0.7:8080")->port, "8080");
  EXPECT_EQ(ParseIpPort("[fd00::7]:80")->ip, "fd00::7");
  for (const char* text : {"", ":80", "10.0.0.7", "web:80", "fd00::7:80", "[10.0.0.7]:80", "10.0.0.7:0",
                           "[fd00::7]", "[fd00::7:80", "10.0.0.7:80x"}) {
    EXPECT_FALSE(ParseIpPort(text)) << text;
  }
}

TEST(PercentEncoding, LeavesOnlyWhatIsUnreserved) {
  EXPECT_EQ(PercentEncoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncoded("rate(x{a=\"b\"}[5m]) > 0.1 + é"),
            "rate%28x%7Ba%3D%22b%22%7D%5B5m%5D%29%20%3E%200.1%20%2B%20%C3%A9");
}

TEST(HttpPaths, BeginWithASlashAndArePrintable) {
  EXPECT_TRUE(IsHttpPath("/a?b=c%20"));
  for (const char* text : {"", "a", "/a b", "/a#b", "/a\r\n", "/\xC3\xA9"})
    EXPECT_FALSE(IsHttpPath(text)) << text;
}

}  // namespace
}  // namespace slipway::runner

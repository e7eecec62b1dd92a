#include "runner/dockerfile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <array>

namespace slipway::runner {
namespace {

constexpr std::string_view kDigest =
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

// "line image" of each, the base with a star before it; or "!line message".
std::string Read(std::string_view text, std::string_view target = "", const Variables& build_args = {}) {
  const auto bases = ReadBases(text, build_args, target);
  if (!bases) return fmt::format("!{} {}", bases.error().line, bases.error().message);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < bases->images.size(); ++i) {
    out.push_back(fmt::format("{}{} {}", bases->base == i ? "*" : "", bases->images[i].line,
                              ToString(bases->images[i].image)));
  }
  return fmt::format("{}", fmt::join(out, "; "));
}

struct Row {
  std::string_view text;
  std::string_view expected;  // a refusal: what its text starts with
};

void Expect(const Row& row, const std::string& found) {
  if (row.expected.starts_with('!')) {
    EXPECT_TRUE(found.starts_with(row.expected)) << row.text << "\n gives " << found;
  } else {
    EXPECT_EQ(found, row.expected) << row.text;
  }
}

TEST(Dockerfile, TheImagesOfFrom) {
  constexpr auto kRows = std::to_array<Row>({
      {"FROM busybox", "*1 docker.io/library/busybox:latest"},
      {"\xEF\xBB\xBF"
       "FROM busybox",
       "*1 docker.io/library/busybox:latest"},
      {"from busybox:1 as Base\r\nRUN x\r\n", "*1 docker.io/library/busybox:1"},
      {"  FROM\tteam/app:1.2", "*1 docker.io/team/app:1.2"},
      {"FROM localhost/app", "*1 localhost/app:latest"},
      {"FROM host:5000/a/b:c", "*1 host:5000/a/b:c"},
      {"FROM index.docker.io/library/busybox", "*1 docker.io/library/busybox:latest"},
      {"FROM \"busybox:1\"", "*1 docker.io/library/busybox:1"},
      {"FROM --platform=linux/amd64 busybox AS x", "*1 docker.io/library/busybox:latest"},
      {"FROM --platform=$BUILDPLATFORM busybox", "*1 docker.io/library/busybox:latest"},
      {"FROM scratch", ""},
      {"FROM a.b/one AS x\nFROM a.b/two\nCOPY --from=x / /", "1 a.b/one:latest; *2 a.b/two:latest"},
      {"FROM a.b/one AS Base\nFROM BASE\nFROM base AS other", "*1 a.b/one:latest"},
      {"FROM a.b/one AS x\nFROM a.b/one AS y", "*1 a.b/one:latest"},
      {"FROM a.b/one AS x\nFROM scratch", "1 a.b/one:latest"},
      // Not yet a stage when it is named: an image.
      {"FROM busybox AS busybox", "*1 docker.io/library/busybox:latest"},
      {"FROM later\nFROM a.b/one AS later", "1 docker.io/library/later:latest; *2 a.b/one:latest"},
      {"# comment\n\n   # more\nFROM busybox", "*4 docker.io/library/busybox:latest"},
      {"FROM busy\\\nbox", "*1 docker.io/library/busybox:latest"},
      {"FROM \\\n  # a comment\n\n  busybox \\  \n AS x", "*1 docker.io/library/busybox:latest"},
      {"# escape=`\nFROM `\nbusybox", "*2 docker.io/library/busybox:latest"},
      {"# syntax=docker/dockerfile:1\n# Escape = `\nFROM `\nbusybox", "*3 docker.io/library/busybox:latest"},
      // Directives end at the first line that is none.
      {"# a comment\n# escape=`\nFROM \\\nbusybox", "*3 docker.io/library/busybox:latest"},
      {"\n# escape=`\nFROM \\\nbusybox", "*3 docker.io/library/busybox:latest"},
      {"FROM busybox\\", "*1 docker.io/library/busybox:latest"},
      {"FROM busybox\nRUN echo \\\\\nFROM other",
       "1 docker.io/library/busybox:latest; *3 docker.io/library/other:latest"},
      {"FROM busybox\nRUN echo \\\nFROM other", "*1 docker.io/library/busybox:latest"},
  });
  for (const Row& row : kRows) Expect(row, Read(row.text));
  EXPECT_EQ(Read(fmt::format("FROM a.b/x:1@{}", kDigest)), fmt::format("*1 a.b/x:1@{}", kDigest));
  EXPECT_EQ(Read(fmt::format("FROM a.b/x@{}", kDigest)), fmt::format("*1 a.b/x@{}", kDigest));
}

TEST(Dockerfile, ArgumentsBeforeTheFirstFrom) {
  constexpr auto kRows = std::to_array<Row>({
      {"ARG A=busybox\nFROM $A", "*2 docker.io/library/busybox:latest"},
      {"ARG A=busybox\nFROM ${A}:1", "*2 docker.io/library/busybox:1"},
      {"arg A=\"busybox\" B='1'\nFROM $A:$B", "*2 docker.io/library/busybox:1"},
      {"ARG A=1\nARG B=${A}.2\nFROM x:$B", "*3 docker.io/library/x:1.2"},
      {"FROM ${A:-busybox}:${B-1}", "*1 docker.io/library/busybox:1"},
      {"ARG A=\nFROM ${A:-x}:${B:-${C:-2}}", "*2 docker.io/library/x:2"},
      {"ARG A=1\nFROM x${A:+:$A}", "*2 docker.io/library/x:1"},
      {"FROM x${A:+:$A}", "*1 docker.io/library/x:latest"},
      // A default that is not used needs no value.
      {"ARG A=x\nFROM ${A:-$B}", "*2 docker.io/library/x:latest"},
      // Nothing for a variable without a value, as in the build.
      {"ARG A\nFROM x$A", "*2 docker.io/library/x:latest"},
      {"ARG GIVEN=default\nFROM $GIVEN", "*2 docker.io/library/given:latest"},
      {"ARG GIVEN\nFROM $GIVEN", "*2 docker.io/library/given:latest"},
      {"ARG A=$GIVEN\nFROM $A", "*2 docker.io/library/given:latest"},
      // What a stage declares is not seen by FROM.
      {"FROM x\nARG A=y\nFROM ${A:-z}", "1 docker.io/library/x:latest; *3 docker.io/library/z:latest"},
      {"ARG A\nFROM $A", "!2 FROM $A names no image, because A has no value"},
      {"\n\nFROM x:${A}", "!3 FROM x:${A} names no image, because A has no value"},
      {"FROM ${A}/${B}", "!1 FROM ${A}/${B} names no image, because A, B has no value"},
      {"FROM ${A", "!1 FROM ${A: a ${ has no"},
      {"FROM ${}", "!1 FROM ${}: a ${ has no name"},
      {"FROM ${A:?which}", "!1 FROM ${A:?which}: A: which"},
      {"ARG A=x\nFROM ${A%y}", "!2 FROM ${A%y}: what follows the name"},
      {"ARG A='x\nFROM $A", "!1 ARG A: a quote has no end"},
      {"ARG A=x\nFROM '$A'", "!2 FROM '$A' is not the name of an image"},
      {"ARG A=x\nFROM \\$A", "!2 FROM '$A' is not the name of an image"},
  });
  for (const Row& row : kRows) Expect(row, Read(row.text, "", {{"GIVEN", "given"}}));
}

TEST(Dockerfile, ImagesOfCopyAndMount) {
  constexpr auto kRows = std::to_array<Row>({
      {"FROM a.b/x\nCOPY --from=c.d/y:1 / /", "*1 a.b/x:latest; 2 c.d/y:1"},
      {"FROM a.b/x\ncopy --chown=1 --FROM=\"c.d/y\" / /", "*1 a.b/x:latest; 2 c.d/y:latest"},
      {"FROM a.b/x\nCOPY a --from=c.d/y /", "*1 a.b/x:latest"},
      {"FROM a.b/x AS one\nFROM a.b/x\nCOPY --from=ONE / /\nCOPY --from=0 / /", "*1 a.b/x:latest"},
      {"FROM a.b/x\nRUN --network=none --mount=type=bind,from=c.d/y,target=/y true",
       "*1 a.b/x:latest; 2 c.d/y:latest"},
      {"FROM a.b/x\nRUN --mount=\"type=bind,From=c.d/y\" true", "*1 a.b/x:latest; 2 c.d/y:latest"},
      {"FROM a.b/x\nRUN --mount=type=cache,target=/from=y true", "*1 a.b/x:latest"},
      {"FROM a.b/x\nRUN echo --mount=from=c.d/y", "*1 a.b/x:latest"},
      {"FROM a.b/x\nCOPY --from=$Y / /", "*1 a.b/x:latest"},
      {"FROM a.b/x\nCOPY --from=scratch / /", "*1 a.b/x:latest"},
      {"FROM a.b/x\nONBUILD COPY --from=c.d/y / /", "*1 a.b/x:latest"},
      {"FROM a.b/x\nCOPY --from=0 / /", "!2 there is no stage 0 before this"},
      {"FROM a.b/x\nCOPY --from=7 / /", "!2 there is no stage 7"},
      {"FROM a.b/x\nCOPY --from=-bad / /", "!2 '-bad' is neither a stage nor an image"},
      // Its own name is no stage yet.
      {"FROM a.b/x AS one\nCOPY --from=one / /", "*1 a.b/x:latest; 2 docker.io/library/one:latest"},
  });
  for (const Row& row : kRows) Expect(row, Read(row.text));
}

TEST(Dockerfile, HereDocumentsAreNotInstructions) {
  constexpr std::string_view kOne = "*1 a.b/x:latest";
  constexpr auto kRows = std::to_array<Row>({
      {"FROM a.b/x\nRUN <<EOF\nFROM evil\nEOF\n", kOne},
      {"FROM a.b/x\nRUN <<-EOF\n\tFROM evil\n\tEOF\n", kOne},
      {"FROM a.b/x\nRUN <<\"EOF\" cat\nFROM evil\nEOF\n", kOne},
      {"FROM a.b/x\nRUN 3<<'E F'\nFROM evil\nE F\n", kOne},
      {"FROM a.b/x\nCOPY <<A <<B /to/\nFROM evil\nA\nFROM evil\nB\n", kOne},
      {"FROM a.b/x\nADD <<A /to\nB\\\nA\n", kOne},
      {"FROM a.b/x\nONBUILD RUN <<A\nFROM evil\nA\n", kOne},
      {"FROM a.b/x\nRUN <<EOF\r\nFROM evil\r\nEOF\r\n", kOne},
      {"FROM a.b/x\nRUN cat \\\n <<EOF\nFROM evil\nEOF\n", kOne},
      // These are none.
      {"FROM a.b/x\nRUN echo \"<<EOF\"\nFROM c.d/y", "1 a.b/x:latest; *3 c.d/y:latest"},
      {"FROM a.b/x\nRUN [\"cat\", \"<<EOF\"]\nFROM c.d/y", "1 a.b/x:latest; *3 c.d/y:latest"},
      {"FROM a.b/x\nRUN echo a<<EOF\nFROM c.d/y", "1 a.b/x:latest; *3 c.d/y:latest"},
      {"FROM a.b/x\nRUN cat <<<EOF\nFROM c.d/y", "1 a.b/x:latest; *3 c.d/y:latest"},
      {"FROM a.b/x\nRUN echo 1 << \nFROM c.d/y", "1 a.b/x:latest; *3 c.d/y:latest"},
      {"FROM a.b/x\nLABEL a=<<EOF\nFROM c.d/y", "1 a.b/x:latest; *3 c.d/y:latest"},
      {"FROM a.b/x\nRUN <<EOF\nEOF2\n EOF\n", "!2 its here-document has no end"},
  });
  for (const Row& row : kRows) Expect(row, Read(row.text));
}

TEST(Dockerfile, WhatIsRefused) {
  constexpr auto kRows = std::to_array<Row>({
      {"", "!0 it has no FROM"},
      {"# FROM x\n", "!0 it has no FROM"},
      {"ARG A=1", "!0 it has no FROM"},
      {"RUN true\nFROM x", "!1 'RUN' stands before the first FROM"},
      {"FROM", "!1 FROM must be"},
      {"FROM --platform=x", "!1 FROM must be"},
      {"FROM x y", "!1 FROM must be"},
      {"FROM x AS", "!1 FROM must be"},
      {"FROM x LIKE y", "!1 FROM must be"},
      {"FROM x AS y z", "!1 FROM must be"},
      {"FROM Busybox", "!1 FROM 'Busybox' is not"},
      {"FROM x:", "!1 FROM 'x:' is not"},
      {"FROM x@sha256:12", "!1 FROM 'x@sha256:12' is not"},
      {"FROM x;rm", "!1 FROM 'x;rm' is not"},
      {"FROM https://h/x", "!1 FROM 'https://h/x' is not"},
      {"FROM ../x", "!1 FROM '../x' is not"},
      {"FROM a//b", "!1 FROM 'a//b' is not"},
      {"FROM \"x", "!1 FROM \"x: a quote has no end"},
      {"# escape=x\nFROM x", "!1 the directive escape"},
  });
  for (const Row& row : kRows) Expect(row, Read(row.text));
  std::string deep = "FROM ";
  for (int i = 0; i < 100000; ++i) deep += "${A:-";
  EXPECT_TRUE(Read(deep).starts_with("!1 ")) << "a hostile depth ends in a refusal";
  EXPECT_TRUE(Read(std::string("FROM x\0y", 8)).starts_with("!1 "));
}

TEST(Dockerfile, ATargetCountsWhatItNeeds) {
  constexpr std::string_view kText =
      "FROM a.b/tools AS tools\n"
      "FROM a.b/base AS Base\n"
      "COPY --from=e.f/data / /\n"
      "FROM base AS app\n"
      "COPY --from=tools / /\n"
      "FROM a.b/lint AS lint\n"
      "FROM scratch\n";
  EXPECT_EQ(Read(kText, "app"), "1 a.b/tools:latest; *2 a.b/base:latest; 3 e.f/data:latest");
  EXPECT_EQ(Read(kText, "APP"), Read(kText, "2"));
  EXPECT_EQ(Read(kText, "lint"), "*6 a.b/lint:latest");
  EXPECT_EQ(Read(kText, "tools"), "*1 a.b/tools:latest");
  EXPECT_EQ(Read(kText, "4"), "");
  EXPECT_EQ(Read(kText), "1 a.b/tools:latest; 2 a.b/base:latest; 3 e.f/data:latest; 6 a.b/lint:latest");
  EXPECT_EQ(Read(kText, "other"), "!0 it has no stage 'other', which is the build's target");
  EXPECT_EQ(Read(kText, "5").substr(0, 2), "!0");
}

TEST(ImageReference, RepositoriesTagsAndDigests) {
  for (const char* good : {"a.b/x", "host:5000/x/y", "localhost/x", "docker.io/u/x", "a.b/x__y/z--w/a.b_c"}) {
    EXPECT_TRUE(IsRepository(good)) << good;
  }
  for (const char* bad : {"", "x", "u/x", "a.b/", "a.b/X", "a.b/x:1", "a.b/x@y", "a.b/x___y", "a.b/-x",
                          "-a.b/x", "a.b:/x", "a.b:123456/x", "a.b/x y", "a.b/../x", "a.b/x\n"}) {
    EXPECT_FALSE(IsRepository(bad)) << bad;
  }
  EXPECT_TRUE(IsTag("v1.2_3-a"));
  EXPECT_FALSE(IsTag(std::string(129, 'a')));
  for (const char* bad : {"", "-x", ".x", "a b", "a/b", "a:b", "a\n"}) EXPECT_FALSE(IsTag(bad)) << bad;
  EXPECT_TRUE(IsDigest(kDigest));
  EXPECT_FALSE(IsDigest(kDigest.substr(1)));
  EXPECT_FALSE(IsDigest(std::string(kDigest) + "0"));
}

}  // namespace
}  // namespace slipway::runner

// What texts in a spec must look like: each rule once, for the CRD and for us. They keep arguments, paths and
// references from meaning more than a name: no leading dash (an option), no "..", no scheme but http(s), no
// credentials in a URL, no control or direction-changing characters.
#pragma once

#include "resources/schema.h"

namespace slipway::resources {

// RFC 1123, as Kubernetes names objects, and as it names Services and containers.
inline constexpr TextRule kObjectName{
    "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
    "must be the name of an object: lower-case letters, digits, '-' and '.', beginning and ending with a "
    "letter or digit"};
inline constexpr TextRule kLabelName{
    "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
    "must be lower-case letters, digits and '-', beginning and ending with a letter or digit"};

#define SLIPWAY_HOST "[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
#define SLIPWAY_USER "[A-Za-z_][A-Za-z0-9_.-]*@"
inline constexpr TextRule kGitUrl{
    "^(https?://" SLIPWAY_HOST "(:[0-9]{1,5})?(/[A-Za-z0-9._~+-]+)+/?|ssh://(" SLIPWAY_USER ")?" SLIPWAY_HOST
    "(:[0-9]{1,5})?(/[A-Za-z0-9._~+-]+)+/?|" SLIPWAY_USER SLIPWAY_HOST
    ":/?[A-Za-z0-9._~][A-Za-z0-9._~+-]*(/[A-Za-z0-9._~+-]+)*/?)$",
    "must be the URL of a repository: https://, http://, ssh:// or user@host:path, without password, query, "
    "'%' or '..'; name credentials by credentialsSecretRef",
    {".."}};
inline constexpr TextRule kRevision{"^[A-Za-z0-9_][A-Za-z0-9_./+@#=-]*$",
                                    "must be a branch, a tag, a full commit SHA or refs/...: letters, digits "
                                    "and _ . / + @ # = -, not beginning "
                                    "with '-', without '..', '@{' or '//'",
                                    {"..", "@{", "//"}};
inline constexpr TextRule kRelativePath{
    "^[A-Za-z0-9_.@][A-Za-z0-9_./+@-]*$",
    "must be a path inside the repository: relative, not beginning with '-', without '..', spaces or '//'",
    {"..", "//"}};
inline constexpr TextRule kStageName{"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
                                     "must be a stage of the Dockerfile: letters, digits, '_', '.' and '-'"};
inline constexpr TextRule kArgName{"^[A-Za-z_][A-Za-z0-9_]*$",
                                   "must be letters, digits and '_', not beginning with a digit"};
// One line without control characters (Cc) and without marks that change the direction of text (bidi).
inline constexpr TextRule kPlainText{
    "^[^\\x{0}-\\x{1f}\\x{7f}-\\x{9f}\\x{200e}\\x{200f}\\x{2028}-\\x{202e}\\x{2066}-\\x{2069}]*$",
    "must be one line without control or direction-changing characters"};
inline constexpr TextRule kVulnerability{"^[A-Za-z0-9][A-Za-z0-9._:-]*$",
                                         "must be the id of a vulnerability, such as CVE-2024-1234"};
inline constexpr TextRule kDay{"^20[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
                               "must be a day, such as 2026-12-24"};
inline constexpr TextRule kLabelKey{"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$",
                                    "must be letters, digits, '.', '_', '/' and '-'"};

// The distribution reference grammar, with the registry named: a dot, a port or localhost tells it from a
// path (else "team/app" would mean docker.io/team/app).
#define SLIPWAY_REPOSITORY                                                                       \
  "((localhost|[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+)(:[0-9]{1,5})?|" \
  "[a-z0-9]([a-z0-9-]*[a-z0-9])?:[0-9]{1,5})(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)+"
inline constexpr TextRule kRepository{"^" SLIPWAY_REPOSITORY "$",
                                      "must be registry/path in lower case, such as "
                                      "registry.example.com/team/app, without scheme, tag or digest"};
// A registry, or a registry and the beginning of a path; one '/' may end it.
inline constexpr TextRule kRepositoryPrefix{
    "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*/?$",
    "must be the beginning of image repositories, such as registry.example.com/team/, without scheme or tag"};
inline constexpr TextRule kRegistry{"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$",
                                    "must be a registry's host, with its port if it has one"};
inline constexpr TextRule kGitUrlPrefix{
    "^((https?://|ssh://(" SLIPWAY_USER ")?)" SLIPWAY_HOST
    "(:[0-9]{1,5})?(/[A-Za-z0-9._~+-]+)*/?|" SLIPWAY_USER SLIPWAY_HOST
    ":([A-Za-z0-9._~+-]+/)*([A-Za-z0-9._~+-]+)?)$",
    "must be the beginning of URLs, with a whole host: https://, http://, ssh:// or user@host:",
    {".."}};
inline constexpr TextRule kApiUrl{"^https?://" SLIPWAY_HOST "(:[0-9]{1,5})?(/[A-Za-z0-9._~+-]+)*/?$",
                                  "must be an https:// or http:// URL without user, password or query",
                                  {".."}};
#undef SLIPWAY_HOST
#undef SLIPWAY_USER
inline constexpr TextRule kImage{
    "^" SLIPWAY_REPOSITORY "@sha256:[a-f0-9]{64}$",
    "name the image by digest: repository@sha256:<64 hexadecimal digits>; a tag can move"};
#undef SLIPWAY_REPOSITORY

#define SLIPWAY_TEMPLATE "\\{\\{(commit|shortCommit|branch|semver|timestamp|run)\\}\\}"
inline constexpr TextRule kTag{
    "^([A-Za-z0-9_]|" SLIPWAY_TEMPLATE ")([A-Za-z0-9_.-]|" SLIPWAY_TEMPLATE ")*$",
    "must be a tag: letters, digits, '_', '.' and '-', with {{commit}}, {{shortCommit}}, {{branch}}, "
    "{{semver}}, "
    "{{timestamp}} or {{run}} in it; 'latest' says nothing of what it is and is refused",
    {},
    "latest"};
#undef SLIPWAY_TEMPLATE
// As npm and Masterminds/semver read ranges.
inline constexpr TextRule kSemverRange{"^[0-9A-Za-z<>=~^*][0-9A-Za-z<>=~^*|,. +-]*$",
                                       "must be a range of versions, such as >=1.2.0 <2, ^1.4 or 1.x"};
inline constexpr TextRule kPlatform{"^linux/(amd64|arm64|arm/v7|386|ppc64le|s390x|riscv64)$",
                                    "must be a platform such as linux/amd64 or linux/arm64"};
// Lines are allowed, for a script; the marks are those of kPlainText.
inline constexpr TextRule kCommand{
    "^[^\\x{0}-\\x{8}\\x{b}-\\x{1f}\\x{7f}-\\x{9f}\\x{200e}\\x{200f}\\x{2028}-\\x{202e}\\x{2066}-\\x{2069}]*"
    "$",
    "must be text without control or direction-changing characters"};
inline constexpr TextRule kTargetKind{"^(ImageBuild|Release|CanaryPromotion)$",
                                      "must be ImageBuild, Release or CanaryPromotion"};
inline constexpr TextRule kUid{"^[A-Za-z0-9-]+$", "must be the object's metadata.uid"};
inline constexpr TextRule kSubject{"^([0-9a-f]{40}|sha256:[0-9a-f]{64})$",
                                   "must be a full commit SHA or a digest, sha256:..., in lower case"};
inline constexpr TextRule kVersion{"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$",
                                   "must be letters, digits, '_', '.', '+' and '-'"};
inline constexpr TextRule kHttpPath{"^/[A-Za-z0-9._~/?=&%+,:@!-]*$",
                                    "must be the path of a URL, beginning with one '/', without '..' or '//'",
                                    {"..", "//"}};
// A token of RFC 9110, of the characters that headers are really made of.
inline constexpr TextRule kHeaderName{"^[A-Za-z0-9][A-Za-z0-9_-]*$",
                                      "must be the name of an HTTP header: letters, digits, '_' and '-'"};
inline constexpr TextRule kJsonPointer{"^(/([^~/\\x{0}-\\x{1f}\\x{7f}]|~[01])*)+$",
                                       "must be a JSON pointer (RFC 6901), such as /items/0/name"};
inline constexpr TextRule kDecimal{"^-?[0-9]{1,15}(\\.[0-9]{1,9})?$", "must be a number such as 0.05 or 200"};
inline constexpr TextRule kNumberOrPercent{"^[0-9]{1,5}%?$",
                                           "must be a number of pods, or percent such as 25%"};
inline constexpr TextRule kDuration{"^([0-9]{1,9}(\\.[0-9]{1,9})?(h|m|s|ms))+$",
                                    "must be a duration such as 90s, 10m or 1h30m; never negative"};
inline constexpr TextRule kQuantity{"^[0-9]{1,18}(\\.[0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$",
                                    "must be a quantity such as 500m, 2, 512Mi or 1Gi"};

// Whether the text keeps the rule; false for a text of more than 8,192 bytes.
bool Keeps(const TextRule& rule, std::string_view text);

}  // namespace slipway::resources

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

inline constexpr TextRule kGitUrl{
    "^https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~+-]+)+/?$",
    "must be an http:// or https:// URL of a repository, without user, password, query, '%' or '..'; name "
    "credentials by credentialsSecretRef",
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
    "^https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~+-]+)*/?$",
    "must be the beginning of http:// or https:// URLs, with a whole host",
    {".."}};
inline constexpr TextRule kImage{
    "^" SLIPWAY_REPOSITORY "@sha256:[a-f0-9]{64}$",
    "name the image by digest: repository@sha256:<64 hexadecimal digits>; a tag can move"};
#undef SLIPWAY_REPOSITORY

inline constexpr TextRule kTag{
    "^([A-Za-z0-9_][A-Za-z0-9_.-]*)?(\\{\\{(commit|shortCommit)\\}\\}[A-Za-z0-9_.-]*)?$",
    "must be a tag: letters, digits, '_', '.' and '-', with {{commit}} or {{shortCommit}} in it at most "
    "once; "
    "'latest' says nothing of what it is and is refused",
    {},
    "latest"};
inline constexpr TextRule kVersion{"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$",
                                   "must be letters, digits, '_', '.', '+' and '-'"};
inline constexpr TextRule kHttpPath{"^/[A-Za-z0-9._~/?=&%+,:@!-]*$",
                                    "must be the path of a URL, beginning with one '/', without '..' or '//'",
                                    {"..", "//"}};
inline constexpr TextRule kDuration{"^([0-9]{1,9}(\\.[0-9]{1,9})?(h|m|s|ms))+$",
                                    "must be a duration such as 90s, 10m or 1h30m; never negative"};
inline constexpr TextRule kQuantity{"^[0-9]{1,18}(\\.[0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$",
                                    "must be a quantity such as 500m, 2, 512Mi or 1Gi"};

// Whether the text keeps the rule; false for a text of more than 8,192 bytes.
bool Keeps(const TextRule& rule, std::string_view text);

}  // namespace slipway::resources

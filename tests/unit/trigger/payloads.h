// Deliveries as the forges document them, cut to a size that can be read; what stays has its documented form.
#pragma once

#include <string>

namespace slipway::trigger {

inline constexpr const char* kSha = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
inline constexpr const char* kTagObject = "c8d03f9e96e0adf2466113728f27ae82c7b1a177";
inline constexpr const char* kZeros = "0000000000000000000000000000000000000000";

// https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
inline std::string GitHubPush(const std::string& ref, const std::string& after,
                              const std::string& head = kSha) {
  return R"({"ref":")" + ref + R"(","before":")" + kZeros + R"(","after":")" + after +
         R"(","repository":{"id":186853002,"name":"Hello-World","full_name":"Codertocat/Hello-World",
"private":false,"html_url":"https://github.com/Codertocat/Hello-World",
"url":"https://github.com/Codertocat/Hello-World","git_url":"git://github.com/Codertocat/Hello-World.git",
"ssh_url":"git@github.com:Codertocat/Hello-World.git",
"clone_url":"https://github.com/Codertocat/Hello-World.git","default_branch":"master"},
"pusher":{"name":"Codertocat"},"created":false,"deleted":)" +
         (after == kZeros ? "true" : "false") +
         R"(,"forced":false,"base_ref":null,"commits":[],"head_commit":)" +
         (head.empty() ? "null" : R"({"id":")" + head + R"("})") + "}";
}

inline std::string GitHubPull(const std::string& action, const std::string& head_repo) {
  return R"({"action":")" + action + R"(","number":2,"pull_request":{"id":279147437,"number":2,
"state":"open","title":"Update the\nREADME","merged":false,
"head":{"label":"Codertocat:changes","ref":"changes","sha":")" +
         kSha + R"(","repo":)" + head_repo + R"(},
"base":{"label":"Codertocat:master","ref":"master","sha":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
"repo":{"id":186853002}}},"repository":{"id":186853002,
"ssh_url":"git@github.com:Codertocat/Hello-World.git",
"clone_url":"https://github.com/Codertocat/Hello-World.git","default_branch":"master"}})";
}

// https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events and #tag-events
inline std::string GitLabPush(const std::string& ref, const std::string& after, const std::string& checkout) {
  return R"({"object_kind":"push","event_name":"push","before":")" + std::string(kZeros) + R"(","after":")" +
         after + R"(","ref":")" + ref + R"(","checkout_sha":)" +
         (checkout.empty() ? "null" : "\"" + checkout + "\"") +
         R"(,"project_id":15,"project":{"id":15,"name":"Diaspora",
"web_url":"http://example.com/mike/diaspora","git_ssh_url":"git@example.com:mike/diaspora.git",
"git_http_url":"http://example.com/mike/diaspora.git","path_with_namespace":"mike/diaspora",
"default_branch":"master","url":"git@example.com:mike/diaspora.git"},"commits":[]})";
}

inline std::string GitLabMerge(const std::string& action, int source_project) {
  return R"({"object_kind":"merge_request","event_type":"merge_request","project":{"id":1,
"git_ssh_url":"git@example.com:gitlabhq/gitlab-test.git",
"git_http_url":"http://example.com/gitlabhq/gitlab-test.git","default_branch":"master"},
"object_attributes":{"id":99,"iid":7,"target_branch":"master","source_branch":"ms-viewport",
"source_project_id":)" +
         std::to_string(source_project) + R"(,"target_project_id":1,"title":"MS-Viewport","state":"opened",
"last_commit":{"id":")" +
         kSha + R"(","message":"fixed readme"},"action":")" + action + R"("}})";
}

// https://docs.gitea.com/usage/webhooks
inline std::string GiteaPush(const std::string& ref) {
  return R"({"ref":")" + ref + R"(","before":"28e1879d029cb852e4844d9c718537df08844e03","after":")" + kSha +
         R"(","compare_url":"http://localhost:3000/gitea/webhooks/compare/28e1...bffe",
"commits":[],"total_commits":1,"head_commit":{"id":")" +
         kSha + R"("},"repository":{"id":140,
"name":"webhooks","full_name":"gitea/webhooks","html_url":"http://localhost:3000/gitea/webhooks",
"ssh_url":"ssh://gitea@localhost:2222/gitea/webhooks.git",
"clone_url":"http://localhost:3000/gitea/webhooks.git","default_branch":"master"}})";
}

inline std::string GiteaPull(const std::string& action, int head_repo) {
  return R"({"action":")" + action + R"(","number":4,"pull_request":{"id":21,"number":4,"title":"A change",
"head":{"label":"x","ref":"x","sha":")" +
         kSha + R"(","repo_id":)" + std::to_string(head_repo) + R"(,"repo":{"id":)" +
         std::to_string(head_repo) + R"(}},"base":{"label":"master","ref":"master","repo_id":140,
"repo":{"id":140}}},"repository":{"id":140,"ssh_url":"ssh://gitea@localhost:2222/gitea/webhooks.git",
"clone_url":"http://localhost:3000/gitea/webhooks.git","default_branch":"master"}})";
}

}  // namespace slipway::trigger

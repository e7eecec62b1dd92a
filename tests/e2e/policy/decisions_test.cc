// A Decision stands for a person: it is made by whom it names, who may decide that, and it never changes.
#include "e2e/policy/fixture.h"

namespace slipway::testing {
namespace {

using Words = std::vector<std::string>;

class Decisions : public Tenants {};

TEST_F(Decisions, SayWhoMadeThem) {
  const Words refused{"slipway-decisions", "spec.actor", "must be whoever makes the Decision, ", "whoami"};
  const auto me = nlohmann::json::parse(Kubectl({"auth", "whoami", "-o", "json"}).text, nullptr, false);
  const std::string administrator = me["status"]["userInfo"].value("username", "");
  Judge({
      Make("one's own", "approver", Decision("d", "approver")),
      Make("in another's name", "approver", Decision("d", "dev"), refused),
      Make("in an administrator's name", "approver", Decision("d", administrator), refused),
      Make("in a name that only begins so", "approver", Decision("d", "approver2"), refused),
      Make("the administrator's own", kAdministrator, Decision("d", administrator)),
      Make("the administrator in another's name", kAdministrator, Decision("d", "approver"), refused),
  });
}

TEST_F(Decisions, AreMadeByWhoMayDecideThatOfThatObject) {
  const auto lacks = [](const std::string& verb, const std::string& what, const std::string& plural) {
    return Words{"slipway-decisions", "spec.verb", "approver may not " + verb + " " + what,
                 "ask for verb " + verb + " on " + plural};
  };
  Judge({
      Make("approve", "approver", Decision("d", "approver")),
      Make("approve, which is the default", "approver",
           "{apiVersion: slipway.dev/v1alpha1, kind: Decision, metadata: {name: d}, spec: {actor: approver, "
           "subject: '" +
               std::string(40, 'a') + "', target: {kind: ImageBuild, name: web, uid: u}}}"),
      Make("another object", "approver", Decision("d", "approver", "Approve", "ImageBuild", "api"),
           lacks("approve", "ImageBuild api", "imagebuilds")),
      Make("another verb", "approver", Decision("d", "approver", "Reject"),
           lacks("reject", "ImageBuild web", "imagebuilds")),
      Make("another kind", "approver", Decision("d", "approver", "Approve", "Release"),
           lacks("approve", "Release web", "releases")),
      Make("any release's rollback", "approver", Decision("d", "approver", "Rollback", "Release", "any")),
      Make("a promotion's abortion", "approver", Decision("d", "approver", "Abort", "CanaryPromotion"),
           lacks("abort", "CanaryPromotion web", "canarypromotions")),
      Make("by who may write every object of Slipway", "writer", Decision("d", "writer"),
           {"slipway-decisions", "writer may not approve ImageBuild web"}),
      Gated(Make("in another namespace, whose Role is its own", "approver", Decision("d", "approver"))),
      Make("by the operator", kOperator, Decision("d", kOperator), {"cannot create resource \"decisions\""}),
      Make("by a trigger", kTrigger, Decision("d", kTrigger), {"cannot create resource \"decisions\""}),
  });
}

TEST_F(Decisions, NeverChange) {
  Keep("approver", Decision("mine", "approver"));
  const Words refused{"never changes"};
  const auto patch = [&](const std::string& what, const std::string& spec) {
    return Do(what, "approver",
              {"patch", "decision", "mine", "--type=merge", "-p", R"({"spec":)" + spec + "}"}, refused);
  };
  Judge({
      patch("verb", R"({"verb":"Reject"})"),
      patch("actor", R"({"actor":"dev"})"),
      patch("target", R"({"target":{"name":"api"}})"),
      patch("subject", R"({"subject":")" + std::string(40, 'b') + R"("})"),
      patch("reason", R"({"reason":"because"})"),
      patch("expires", R"({"expires":"2100-01-01T00:00:00Z"})"),
      Do("a label, by somebody else", "writer", {"label", "decision", "mine", "team=a"}),
  });
}

}  // namespace
}  // namespace slipway::testing

#include "runner/git_access.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "runner/text.h"

namespace slipway::runner {

namespace fs = std::filesystem;

// Its files may be read by nobody else.
class PrivateFolder {
 public:
  explicit PrivateFolder(fs::path path) : path_(std::move(path)) {}
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder() {
    std::error_code unused;
    fs::remove_all(path_, unused);
  }

  static Outcome<std::shared_ptr<const PrivateFolder>> Make() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "slipway-git-XXXXXX").string();
    if (error || ::mkdtemp(name.data()) == nullptr) {
      return Failed(kGitFailed, "GitFailed", "no private folder can be made for the credentials");
    }
    return std::make_shared<const PrivateFolder>(name);
  }

  // The whole path of the new file.
  Outcome<std::string> Write(const std::string& name, std::string_view text) const {
    std::string path = (path_ / name).string();
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    bool well = fd >= 0;
    while (well && !text.empty()) {
      const ssize_t written = ::write(fd, text.data(), text.size());
      well = written > 0;
      if (well) text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (fd >= 0) ::close(fd);
    if (!well) return Failed(kGitFailed, "GitFailed", fmt::format("'{}' can't be written", path));
    return path;
  }

 private:
  fs::path path_;
};

namespace {

constexpr std::string_view kSystemCertificates = "/etc/ssl/certs/ca-certificates.crt";

struct Files {
  std::string username;
  std::string password;
  std::string key;
  std::string known_hosts;
  bool basic() const { return !username.empty() || !password.empty(); }
};

std::optional<std::string> ContentsOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string FirstLineOf(const fs::path& path) {
  std::string line = ContentsOf(path).value_or("");
  line.resize(std::min(line.find('\n'), line.size()));
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// As ssh wants it: lines that end in LF, the last one too. Editors and templates lose both.
std::string LinesOf(const fs::path& path) {
  std::string text = ContentsOf(path).value_or("");
  std::erase(text, '\r');
  if (Trimmed(text).empty()) return "";
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

Files ReadFiles(const fs::path& folder) {
  if (folder.empty()) return {};
  return {FirstLineOf(folder / "username"), FirstLineOf(folder / "password"),
          LinesOf(folder / "ssh-privatekey"), LinesOf(folder / "known_hosts")};
}

// Whether the Secret has what the URL needs. http may do without any.
Outcome<> Check(const GitUrl& url, const Files& files, bool any) {
  const auto denied = [](std::string_view message) {
    return Failed(kGitAuthFailed, "GitAuthFailed", message);
  };
  if (url.transport == GitUrl::Transport::kHttp) {
    if (!any || files.basic()) return {};
    if (files.key.empty()) {
      return denied(
          "the Secret with the credentials holds neither the keys username and password nor the keys "
          "ssh-privatekey and known_hosts");
    }
    return denied("the Secret with the credentials must have the keys username and password for an http URL");
  }
  if (!any) {
    return denied("an ssh URL needs credentials: a Secret with the keys ssh-privatekey and known_hosts");
  }
  if (files.key.empty()) {
    return denied(
        "the Secret with the credentials must have the keys ssh-privatekey and known_hosts for an ssh URL");
  }
  if (files.known_hosts.empty()) {
    return Failed(kHostKeyUnknown, "HostKeyUnknown",
                  "no host is known: add the key known_hosts to the Secret with the credentials, with the "
                  "lines that ssh-keyscan prints for the git host, checked against what the host publishes");
  }
  return {};
}

// Only the URL's own host sees the password: submodules may lie on others. git sends an extra header to
// wherever it is redirected, too, and so follows no redirects.
void AddPassword(const GitUrl& url, const Files& files, Access& access) {
  if (url.transport != GitUrl::Transport::kHttp || !files.basic()) {
    access.settings.emplace_back("http.followRedirects=initial");
    return;
  }
  access.settings.emplace_back("http.followRedirects=false");
  access.environment.emplace_back("GIT_CONFIG_COUNT=1");
  access.environment.push_back("GIT_CONFIG_KEY_0=http." + url.origin + "/.extraHeader");
  access.environment.push_back("GIT_CONFIG_VALUE_0=Authorization: Basic " +
                               Base64(files.username + ":" + files.password));
}

// For an http URL too: a submodule may be fetched by ssh, and then must not ask, nor trust, on its own.
Outcome<> AddKey(const Files& files, Access& access) {
  std::string key;
  std::string known_hosts;
  if (!files.key.empty()) {
    auto path = access.folder->Write("ssh-privatekey", files.key);
    if (!path) return std::unexpected(path.error());
    key = std::move(*path);
  }
  if (!files.known_hosts.empty()) {
    auto path = access.folder->Write("known_hosts", files.known_hosts);
    if (!path) return std::unexpected(path.error());
    known_hosts = std::move(*path);
  }
  access.environment.push_back("GIT_SSH_COMMAND=" + SshCommand(key, known_hosts));
  access.environment.emplace_back("GIT_SSH_VARIANT=ssh");
  return {};
}

Outcome<> AddCertificates(const std::string& ca_file, Access& access) {
  if (ca_file.empty()) return {};
  const auto added = ContentsOf(ca_file);
  if (!added || added->find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return Failed(kCertificateUntrusted, "CertificateUntrusted",
                  fmt::format("'{}' holds no certificates in PEM", ca_file));
  }
  const auto path = access.folder->Write("certificates.pem",
                                         ContentsOf(kSystemCertificates).value_or("") + "\n" + *added + "\n");
  if (!path) return std::unexpected(path.error());
  access.settings.push_back("http.sslCAInfo=" + *path);
  return {};
}

}  // namespace

std::unexpected<GitFailure> Failed(int code, std::string_view reason, std::string_view message) {
  return std::unexpected(MakeGitFailure(code, reason, message));
}

std::string SshCommand(const std::string& key_file, const std::string& known_hosts_file) {
  return fmt::format(
      "ssh -F /dev/null -o LogLevel=ERROR -o BatchMode=yes -o StrictHostKeyChecking=yes "
      "-o UserKnownHostsFile='{}' -o GlobalKnownHostsFile=/dev/null -o UpdateHostKeys=no "
      "-o IdentitiesOnly=yes -o IdentityFile='{}' -o ConnectTimeout=20 -o ServerAliveInterval=15",
      known_hosts_file.empty() ? "/dev/null" : known_hosts_file, key_file.empty() ? "none" : key_file);
}

Outcome<Access> MakeAccess(const GitUrl& url, const std::string& credentials_folder,
                           const std::string& ca_file) {
  const Files files = ReadFiles(credentials_folder);
  if (auto well = Check(url, files, !credentials_folder.empty()); !well) {
    return std::unexpected(well.error());
  }
  Access access;
  auto folder = PrivateFolder::Make();
  if (!folder) return std::unexpected(folder.error());
  access.folder = std::move(*folder);
  AddPassword(url, files, access);
  if (auto added = AddKey(files, access); !added) return std::unexpected(added.error());
  if (auto added = AddCertificates(ca_file, access); !added) return std::unexpected(added.error());
  return access;
}

}  // namespace slipway::runner

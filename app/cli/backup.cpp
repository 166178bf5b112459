// SPDX-License-Identifier: Apache-2.0
// `sotto export` and `sotto import` (docs/formats/backup.md).
#include <filesystem>

#include <nlohmann/json.hpp>

#include "app/cli/home.hpp"
#include "app/cli/job.hpp"
#include "app/cli/passphrase.hpp"
#include "ports/linux/file.hpp"
#include "ports/openssl/sealed_file.hpp"

namespace sotto::app {
namespace {

constexpr std::size_t kFileSizeMax = kBackupSizeMax + ports::kSealedFileOverhead;

Failure file_exists(const std::string& file) {
    return {Trouble::Usage,
            file + " is there already; nothing was written",
            "Choose another name, or remove it"};
}

std::string count_of(std::size_t devices) {
    return std::to_string(devices) + (devices == 1 ? " device" : " devices");
}

// Why a file cannot be imported, whatever the passphrase.
Failure explain(Error error, const std::string& file) {
    if (error == Error::Unauthenticated)
        return {Trouble::Usage,
                "the passphrase is not the one of " + file,
                "Nothing was changed. Try again; without the passphrase nobody can open it"};
    if (error == Error::Unsupported)
        return {Trouble::Usage,
                file + " is a backup of another version of this program",
                "Import it with a program at least as new as the one that wrote it"};
    if (error == Error::TooLarge)
        return {Trouble::Usage,
                file + " demands more memory or time than any backup of this program does",
                "Nothing was changed. Use a file that sotto export wrote"};
    if (error == Error::InvalidArgument)
        return {Trouble::State,
                "there is not enough memory to open " + file,
                "Nothing was changed. Try again when other programs take less"};
    return {Trouble::Usage,
            file + " is no backup, or it is damaged",
            "Nothing was changed. Use another copy of the file"};
}

Outcome<> write_backup(const Backup& backup,
                       Bytes passphrase,
                       const Job& job,
                       const std::string& file) {
    const auto content = encode_backup(backup);
    if (!content)
        return Failure{
            Trouble::State, "there are too many devices for one backup", "See docs/limits.md"};
    std::vector<std::uint8_t> sealed(content->size() + ports::kSealedFileOverhead);
    const Status done =
        ports::seal_file(content->view(), passphrase, ports::ScryptCost{}, job.entropy, sealed);
    if (!done)
        return Failure{Trouble::State,
                       "the backup cannot be sealed: memory or random numbers are missing",
                       "It takes 128 MB of memory for a moment. Try again"};
    const auto written = ports::create_file(file, sealed);
    if (written) return {};
    if (written.error().code == Error::AlreadyExists) return file_exists(file);
    return Failure{Trouble::Usage, written.error().detail, "Check the path and the disk"};
}

Outcome<Backup> open_backup(Bytes sealed, Bytes passphrase, const std::string& file) {
    WipedBytes content{sealed.size() - ports::kSealedFileOverhead};
    const Status opened = ports::open_sealed_file(sealed, passphrase, content.fill());
    if (!opened) return explain(opened.error(), file);
    auto backup = parse_backup(content.view());
    if (!backup) return explain(Error::Malformed, file);
    return *std::move(backup);
}

}  // namespace

Outcome<> run(const ExportCommand& command, const Job& job) {
    std::error_code none;
    if (std::filesystem::exists(std::filesystem::symlink_status(command.file, none)))
        return file_exists(command.file);
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const Backup backup, home.backup(job.entropy));
    SOTTO_TRY_ASSIGN(const WipedBytes passphrase,
                     read_passphrase(command.passphrase_file, PassphraseUse::New));
    SOTTO_TRY(write_backup(backup, passphrase.view(), job, command.file));
    const std::size_t count = backup.devices.size();
    job.printer.result("exported " + count_of(count) + " to " + command.file,
                       {{"file", command.file}, {"devices", count}});
    return {};
}

Outcome<> run(const ImportCommand& command, const Job& job) {
    const auto sealed = ports::read_file(command.file, kFileSizeMax);
    if (!sealed && sealed.error().code == Error::TooLarge)
        return explain(Error::Malformed, command.file);
    if (!sealed) return Failure{Trouble::Usage, sealed.error().detail, "Check the path"};
    const Status checked = ports::check_sealed_file(*sealed);
    if (!checked) return explain(checked.error(), command.file);
    SOTTO_TRY_ASSIGN(const WipedBytes passphrase,
                     read_passphrase(command.passphrase_file, PassphraseUse::Known));
    SOTTO_TRY_ASSIGN(const Backup backup, open_backup(*sealed, passphrase.view(), command.file));
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY(home.restore(backup));
    const std::size_t count = backup.devices.size();
    job.printer.result("imported " + count_of(count) + " from " + command.file,
                       {{"file", command.file}, {"devices", count}});
    job.printer.note("To use a cloud, sign in: sotto login URL");
    job.printer.note(
        "The phone that the backup came from still has its keys. To lock it out: sotto takeover");
    return {};
}

}  // namespace sotto::app

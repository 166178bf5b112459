// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/multipart.hpp"

#include <gtest/gtest.h>

namespace sotto::cloud::http {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=--------------------------1234";

// As particle-cli 3.51 sends it.
std::string firmware_body() {
    const std::string line = "----------------------------1234";
    return line +
           "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"/tmp/a b/fw.bin\"\r\n"
           "Content-Type: application/octet-stream\r\n\r\n" +
           std::string("\0\1\r\n--\r\n\xff", 9) + "\r\n" + line +
           "\r\nContent-Disposition: form-data; name=\"latest\"\r\n\r\ntrue\r\n" + line + "--\r\n";
}

TEST(Multipart, HasTheFilesAndFieldsOfClients) {
    const std::string body = firmware_body();
    const auto parts = parse_multipart(kType, body);
    ASSERT_TRUE(parts);
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_EQ((*parts)[0].name, "file");
    EXPECT_TRUE((*parts)[0].is_file);
    EXPECT_EQ((*parts)[0].file_name, "/tmp/a b/fw.bin");
    EXPECT_EQ((*parts)[0].content, std::string_view("\0\1\r\n--\r\n\xff", 9));
    EXPECT_EQ((*parts)[1].name, "latest");
    EXPECT_FALSE((*parts)[1].is_file);
    EXPECT_EQ((*parts)[1].content, "true");
}

TEST(Multipart, CutAnywhereIsTruncated) {
    const std::string body = firmware_body();
    const std::size_t end = body.size() - 4;  // the last two dashes and the line
    for (std::size_t size = 0; size < end; ++size)
        EXPECT_EQ(parse_multipart(kType, std::string_view{body}.substr(0, size)).error(),
                  Error::Truncated)
            << size;
}

TEST(Multipart, TakesWhatTheGrammarAllows) {
    const std::string_view body =
        "preamble\r\n--x  \r\nX-Other: 1\r\ncontent-disposition:form-data;filename=a.bin;NAME=f\r\n"
        "\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"q\\\"d\"; "
        "filename=\"\"\r\n\r\n1\r\n--x--";
    for (const char* type : {"multipart/form-data; boundary=x",
                             "Multipart/Form-Data; charset=utf-8; Boundary=\"x\""}) {
        const auto parts = parse_multipart(type, body);
        ASSERT_TRUE(parts) << type;
        ASSERT_EQ(parts->size(), 2U);
        EXPECT_EQ((*parts)[0].name, "f");
        EXPECT_EQ((*parts)[0].file_name, "a.bin");
        EXPECT_EQ((*parts)[0].content, "");
        EXPECT_EQ((*parts)[1].name, "q\"d");
        EXPECT_TRUE((*parts)[1].is_file);
        EXPECT_EQ((*parts)[1].content, "1");
    }
    EXPECT_TRUE(parse_multipart("multipart/form-data; boundary=x", "--x--")->empty());
}

TEST(Multipart, RefusesWhatCannotBeMeant) {
    const auto error_of = [](std::string_view type, std::string_view body) {
        return parse_multipart(type, body).error();
    };
    const std::string_view good = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--x--";
    EXPECT_EQ(error_of("multipart/form-data", good), Error::Malformed);
    EXPECT_EQ(error_of("multipart/form-data; boundary=", good), Error::Malformed);
    EXPECT_EQ(error_of("multipart/form-data; boundary=\"x", good), Error::Malformed);
    EXPECT_EQ(error_of("text/plain; boundary=x", good), Error::Malformed);
    EXPECT_EQ(error_of("multipart/form-data; boundary=" + std::string(71, 'x'), good),
              Error::Malformed);
    constexpr std::string_view kX = "multipart/form-data; boundary=x";
    for (const char* head : {"Content-Disposition: form-data",
                             "Content-Disposition: attachment; name=a",
                             "Content-Type: text/plain",
                             "no colon",
                             "Content-Disposition: form-data; name=a\r\n"
                             "Content-Disposition: form-data; name=b"})
        EXPECT_EQ(error_of(kX, "--x\r\n" + std::string{head} + "\r\n\r\n\r\n--x--"),
                  Error::Malformed)
            << head;
    EXPECT_EQ(error_of(kX, "--xy\r\n"), Error::Malformed);
}

TEST(Multipart, IsBounded) {
    constexpr std::string_view kX = "multipart/form-data; boundary=x";
    const std::string part = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
    std::string body;
    for (std::size_t i = 0; i < kPartsMax; ++i) body += part;
    EXPECT_EQ(parse_multipart(kX, body + "--x--")->size(), kPartsMax);
    EXPECT_EQ(parse_multipart(kX, body + part + "--x--").error(), Error::TooLarge);
    const auto with_header = [&](std::size_t size) {
        const std::string name = "Content-Disposition: form-data; name=";
        return parse_multipart(
            kX, "--x\r\n" + name + std::string(size - name.size(), 'n') + "\r\n\r\n\r\n--x--");
    };
    EXPECT_TRUE(with_header(kPartHeaderSizeMax));
    EXPECT_EQ(with_header(kPartHeaderSizeMax + 1).error(), Error::Malformed);
}

}  // namespace
}  // namespace sotto::cloud::http

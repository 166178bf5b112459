// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/frames.hpp"

#include <gtest/gtest.h>

#include "testing/vectors.hpp"
#include "tests/particle/pair.hpp"

namespace sotto::tests {
namespace {

struct Ends {
    explicit Ends(Bytes bytes)
        : credentials(bytes.first<40>()),
          key(bytes.first<16>()),
          reader(credentials),
          writer(credentials) {}
    Status read(Bytes bytes) {
        return reader.read(*cipher, key, bytes, [this](Bytes message) {
            messages.emplace_back(message.begin(), message.end());
            return true;
        });
    }
    std::vector<std::uint8_t> write(Bytes message) {
        std::vector<std::uint8_t> out;
        writer.write(*cipher, key, message, out);
        return out;
    }
    std::unique_ptr<Cipher> cipher = particle_openssl::make_cipher();
    Credentials credentials;
    AesKey key;
    FrameReader reader;
    FrameWriter writer;
    std::vector<std::vector<std::uint8_t>> messages;
};

Ends some_ends() {
    static const std::array<std::uint8_t, 40> kBytes{9, 8, 7};
    return Ends{kBytes};
}

TEST(ParticleFrames, AreThoseOfTheVectorsBothWays) {
    auto vectors = testing::load_vectors("particle/frames.txt");
    Ends ends{vectors.front().bytes("credentials")};
    vectors.erase(vectors.begin());
    for (const auto& vector : vectors) {
        EXPECT_EQ(ends.write(vector.bytes("plain")), vector.bytes("frame")) << vector.text("name");
        ASSERT_TRUE(ends.read(vector.bytes("frame")));
        EXPECT_EQ(ends.messages.back(), vector.bytes("plain")) << vector.text("name");
    }
}

TEST(ParticleFrames, ComeInPiecesOfAnySize) {
    for (std::size_t piece = 1; piece < 80; ++piece) {
        Ends ends = some_ends();
        std::vector<std::uint8_t> stream;
        const std::vector<std::size_t> sizes{0, 4, 15, 16, 17, 700};
        for (const std::size_t size : sizes) {
            const auto frame = ends.write(std::vector<std::uint8_t>(size, 0x5a));
            stream.insert(stream.end(), frame.begin(), frame.end());
        }
        for (Bytes rest = stream; !rest.empty();) {
            const std::size_t size = std::min(piece, rest.size());
            ASSERT_TRUE(ends.read(rest.first(size)));
            rest = rest.subspan(size);
        }
        ASSERT_EQ(ends.messages.size(), sizes.size());
        for (std::size_t i = 0; i < sizes.size(); ++i) EXPECT_EQ(ends.messages[i].size(), sizes[i]);
    }
}

TEST(ParticleFrames, ThatAreEmptyOddOrTooLargeAreErrors) {
    const auto read = [](std::vector<std::uint8_t> bytes) { return some_ends().read(bytes); };
    EXPECT_EQ(read({0, 0}).error(), Error::Unauthenticated);
    EXPECT_EQ(read({0, 15}).error(), Error::Unauthenticated);
    EXPECT_EQ(read({0, 17}).error(), Error::Unauthenticated);
    EXPECT_EQ(read({0x08, 0x10}).error(), Error::TooLarge);
    EXPECT_EQ(read({0xff, 0xff}).error(), Error::TooLarge);
    EXPECT_TRUE(read({0x08, 0x00}));  // the largest, of which more is to come
}

TEST(ParticleFrames, ThePaddingIsLookedAtWhole) {
    Ends ends = some_ends();
    const std::array<std::uint8_t, 16> iv{};
    for (int last = 0; last < 256; ++last) {
        std::array<std::uint8_t, 16> plain{};
        plain.fill(4);
        plain[15] = static_cast<std::uint8_t>(last);
        std::array<std::uint8_t, 18> frame{0, 16};
        // The IV of the first frame stands behind the key.
        ends.cipher->encrypt(ends.key, iv, plain, MutBytes{frame}.subspan(2));
        Ends fresh = some_ends();
        EXPECT_EQ(fresh.read(frame).has_value(), last == 1 || last == 4) << last;
    }
}

TEST(ParticleFrames, ALostOrRepeatedFrameMakesTheNextOneUnreadable) {
    Ends ends = some_ends();
    const auto first = ends.write(as_bytes("first"));
    const auto second = ends.write(as_bytes("second, of two blocks"));
    const auto third = ends.write(as_bytes("third"));
    ASSERT_TRUE(ends.read(first));
    // CBC alone: only the first block suffers, which here is all of it.
    const Status status = ends.read(third);
    EXPECT_TRUE(!status || as_text(ends.messages.back()) != "third");
}

}  // namespace
}  // namespace sotto::tests

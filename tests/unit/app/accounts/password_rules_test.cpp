#include "app/accounts/password_rules.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "app/accounts/password_hash.hpp"

namespace yolod::app::accounts {

TEST_CASE("password rules: from 12 to 128 characters, of any kind", "[accounts][unit]") {
  const std::string eleven = "kT9 mq\xC3\xBC-vZ#";  // 11 characters of 12 bytes
  CHECK(what_is_wrong_with_password(eleven, "anna") == "the password is too short: 12 to 128 characters are allowed");
  CHECK(what_is_wrong_with_password(eleven + "e", "anna").empty());
  CHECK(what_is_wrong_with_password("correct horse battery", "anna").empty());
  CHECK(what_is_wrong_with_password("\xE6\x97\xA5\xE6\x9C\xAC", "anna").find("too short") != std::string::npos);
  std::string longest;
  for (int i = 0; i < 128; ++i) longest += static_cast<char>('!' + (i * 37) % 90);
  CHECK(what_is_wrong_with_password(longest, "anna").empty());
  CHECK(what_is_wrong_with_password(longest + "e", "anna") ==
        "the password is too long: 12 to 128 characters are allowed");
  CHECK(what_is_wrong_with_password("\xFF not UTF-8 \xFF", "anna") == "the password is not UTF-8");
}

TEST_CASE("password rules: what is tried first is refused", "[accounts][unit]") {
  for (const std::string weak :
       {"password1234", "Password2026", "P@ssw0rd1234", "123456789012", "012345678901", "qwertyuiop12", "qwerty123456",
        "aaaaaaaaaaaa", "abcabcabcabc", "abcdefghijklm", "letmeinplease", "administrator", "adminadmin12",
        "1q1q1q1q1q1q", "zxcvbnmasdfgh", "passwordpassword", "Welcome12345", "iloveyou1234", "098765432109"}) {
    CAPTURE(weak);
    CHECK(what_is_wrong_with_password(weak, "anna") ==
          "the password is one of those that are tried first: choose another");
  }
  for (const std::string good : {"tree lamp river 9", "Zk3!vq8#Lm2?", "my dog eats grass", "193847261940",
                                 "password manager gave this", "thisisnotaneasyone"}) {
    CAPTURE(good);
    CHECK(what_is_wrong_with_password(good, "anna").empty());
  }
}

TEST_CASE("password rules: a password does not consist of the name", "[accounts][unit]") {
  CHECK(what_is_wrong_with_password("Annabella1999!", "annabella") ==
        "the password consists of the name: choose another");
  CHECK_FALSE(what_is_wrong_with_password("annabella-annabella-7", "annabella").empty());
  CHECK(what_is_wrong_with_password("annabella likes pears", "annabella").empty());
  CHECK(what_is_wrong_with_password("193847261940", "1").empty());
}

TEST_CASE("password hash: matches its password and no other", "[accounts][unit]") {
  const std::string hash = hash_password("tree lamp river 9");
  CHECK(hash.substr(0, 31) == "$argon2id$v=19$m=19456,t=2,p=1$");
  CHECK(hash_password("tree lamp river 9") != hash);  // another salt
  CHECK(password_matches("tree lamp river 9", hash));
  CHECK_FALSE(password_matches("tree lamp river 8", hash));
  CHECK_FALSE(password_matches("", hash));
  CHECK_FALSE(needs_rehash(hash));
}

TEST_CASE("password hash: a weaker hash is made anew, and a monstrous one is not computed", "[accounts][unit]") {
  CHECK(needs_rehash("$argon2id$v=19$m=8192,t=2,p=1$c2FsdHNhbHQ$AAAA"));
  CHECK(needs_rehash("$argon2id$v=19$m=19456,t=1,p=1$c2FsdHNhbHQ$AAAA"));
  CHECK_FALSE(needs_rehash("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$AAAA"));  // stronger stays
  CHECK(needs_rehash("nonsense"));
  for (const std::string bad : {"", "nonsense", "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$AAAA",
                                "$argon2id$v=19$m=19456,t=4000000000,p=1$c2FsdHNhbHQ$AAAA"}) {
    CAPTURE(bad);
    CHECK_FALSE(password_matches("password", bad));
  }
}

}  // namespace yolod::app::accounts

/*
  sha256.h: the SHA-256 digest of a file (FIPS 180-4).
*/
#pragma once

#include <stddef.h>

enum { SHA256_HEX = 65 };

/* Lower-case hexadecimal, with the final 0. */
void Sha256(const void *data, size_t size, char hex[SHA256_HEX]);

/* only: never by the processor's own instructions for it; for tests. */
void Sha256Portable(int only);

/* 0, or errno where the file cannot be read. */
int Sha256File(const char path[], char hex[SHA256_HEX]);

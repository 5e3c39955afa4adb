/*
  ops.h: the kinds of op; a new one is a line here and in the table of network.c.
*/
#pragma once

#include "codim/network.h"

extern const OpKind OpInput, OpLinear, OpActivation;

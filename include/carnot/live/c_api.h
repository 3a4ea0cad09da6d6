/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CARNOT_LIVE_C_API_H
#define CARNOT_LIVE_C_API_H

/**
 * \file
 * Following a power profile from inside a program that works in steps, for whatever calls C; in the
 * library and with the conventions of carnot/meter/c_api.h.
 *
 *     carnot_follow_options options = {.size = sizeof options, .profile = "wind.csv", .modes = 2};
 *     carnot_follow_open(&options, &follow);
 *     for (;;) {
 *       carnot_follow_next(follow, now_s, cpu_s, -1, stepped, &decision);
 *       if (decision.wait_s > 0) { sleep for it; stepped = 0; continue; }
 *       take a step in decision.mode; stepped = 1;
 *     }
 *
 * What is decided and how: carnot/live/local/step_follower.hpp. One thread at a time.
 */

#include "carnot/meter/c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Zero, NULL and "" are the defaults. Texts are as on the command line. */
typedef struct carnot_follow_options {
  size_t size;         /**< sizeof(carnot_follow_options) */
  const char* profile; /**< a file, a power, or steps; needed */
  const char *peak, *cap, *full_at, *none_at, *begin_at, *then;
  const char *column, *unit, *zone, *gaps;
  double speed;              /**< 0: 1 */
  double watts_per_cpu;      /**< > 0 */
  double burst_s;            /**< 0: 0.05 */
  double checkpoint_after_s; /**< 0: 60; below 0: never */
  double longest_wait_s;     /**< 0: 0.05 */
  int32_t modes;             /**< 0: 1 */
  int32_t calendar;
  int32_t sensor; /**< nonzero: `told_j` corrects the joules of CPU time */
} carnot_follow_options;

typedef struct carnot_step_decision {
  double wait_s;    /**< 0: take a step; else sleep and ask again */
  double offered_w; /**< now */
  int32_t mode;
  int32_t checkpoint; /**< nonzero: a long pause begins */
  int32_t over;       /**< nonzero: the profile is over, nothing limits any more */
} carnot_step_decision;

typedef struct carnot_follow_totals {
  size_t size; /**< sizeof(carnot_follow_totals) */
  double offered_j, used_j, could_not_use_j, left_j, above_j, free_used_j;
  double followed_s, waited_s, worst_over_w, per_cpu_w;
  uint64_t steps[64]; /**< by mode */
} carnot_follow_totals;

typedef struct carnot_follow carnot_follow;

CARNOT_API carnot_status carnot_follow_open(const carnot_follow_options* options,
                                            carnot_follow** out);
/** NULL is allowed. */
CARNOT_API void carnot_follow_close(carnot_follow* follow);
/**
 * \param now_s    since the start, never less than before
 * \param cpu_s    of the work, cumulative
 * \param told_j   what a slower source says of its joules, cumulative; below 0: nothing new
 * \param stepped  nonzero: a step was taken since the last call, in the mode answered then
 */
CARNOT_API carnot_status carnot_follow_next(carnot_follow* follow, double now_s, double cpu_s,
                                            double told_j, int32_t stepped,
                                            carnot_step_decision* out);
CARNOT_API carnot_status carnot_follow_report(const carnot_follow* follow,
                                              carnot_follow_totals* out);
/** Where the profile is from, in words; lives as long as `follow`. */
CARNOT_API const char* carnot_follow_words(const carnot_follow* follow);

/** A look at held-out quality: learn/codes/certificate.hpp, exact binomial bounds corrected for the
 *  looks taken before. */
typedef struct carnot_certificate {
  double lower_bound, upper_bound, alpha;
  int32_t certified;
} carnot_certificate;
/**
 * \param successes    right answers, for accuracy
 * \param trials       held-out rows, the same at each look and never trained on
 * \param floor        least accuracy
 * \param alpha        chance of certifying wrongly over all looks; 0: 0.05
 * \param looks_before this one
 */
CARNOT_API carnot_status carnot_certify_accuracy(uint64_t successes, uint64_t trials, double floor,
                                                 double alpha, uint64_t looks_before,
                                                 carnot_certificate* out);

#ifdef __cplusplus
}
#endif

#endif

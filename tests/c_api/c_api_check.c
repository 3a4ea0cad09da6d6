/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface from a program in C: what the header says holds. Ends with 0 if it does. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "carnot/meter/c_api.h"

static int failures = 0;

#define EXPECT(condition)                                                       \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not so: %s (last error: %s)\n", __FILE__,         \
              __LINE__, #condition, carnot_last_error());                       \
      ++failures;                                                               \
    }                                                                           \
  } while (0)

static void burn(double seconds) {
  struct timespec now;
  double end;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  end = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec + seconds;
  do {
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  } while ((double)now.tv_sec + 1e-9 * (double)now.tv_nsec < end);
}

static void sound(const carnot_energy *e) {
  EXPECT(isfinite(e->energy_j) && isfinite(e->high_j));
  EXPECT(0 <= e->low_j && e->low_j <= e->energy_j && e->energy_j <= e->high_j);
  EXPECT(e->high_j > 0);
  EXPECT(strcmp(carnot_origin_name(e->origin), "?") != 0);
  EXPECT(strcmp(carnot_boundary_name(e->boundary), "?") != 0);
}

/* Half-widths in quadrature, as a figure's interval has them. */
static double width(const carnot_cause *causes, size_t count, int up) {
  double sum = 0.0;
  size_t i;
  for (i = 0; i < count; ++i) {
    const double w = up ? fmax(fmax(causes[i].up, causes[i].down), 0.0)
                        : fmax(fmax(-causes[i].up, -causes[i].down), 0.0);
    sum += w * w;
  }
  return sqrt(sum);
}

static void causes_of(const carnot_window *window, size_t figure, const carnot_energy *energy) {
  carnot_cause causes[16];
  size_t count = 0, again = 0;
  EXPECT(carnot_window_causes(window, figure, causes, 16, &count) == CARNOT_OK);
  EXPECT(count <= 16);
  EXPECT(fabs(width(causes, count, 1) - (energy->high_j - energy->energy_j)) <=
         1e-9 * energy->high_j);
  EXPECT(fabs(width(causes, count, 0) - (energy->energy_j - energy->low_j)) <=
         1e-9 * energy->high_j);
  EXPECT(carnot_window_causes(window, figure, NULL, 0, &again) == CARNOT_OK && again == count);
  EXPECT(carnot_window_causes(window, figure, NULL, 1, &again) == CARNOT_BAD_INPUT);
}

static void windows(carnot_meter *meter) {
  carnot_window *outer = NULL, *inner = NULL;
  carnot_window_result a = {0}, b = {0}, again = {0};
  carnot_energy channels[8];
  size_t i;
  a.size = b.size = again.size = sizeof a;
  EXPECT(carnot_window_begin(meter, "outer", CARNOT_SCOPE_THREAD, CARNOT_STATIC_CAPACITY,
                             &outer) == CARNOT_OK);
  EXPECT(carnot_window_channels(outer, channels, 1) == CARNOT_BAD_INPUT);
  burn(0.02);
  EXPECT(carnot_window_begin(meter, NULL, CARNOT_SCOPE_THREAD, CARNOT_STATIC_CAPACITY, &inner) ==
         CARNOT_OK);
  burn(0.02);
  EXPECT(carnot_window_look(inner, &b) == CARNOT_OK);
  EXPECT(carnot_window_end(inner, &b) == CARNOT_OK);
  EXPECT(carnot_window_end(outer, &a) == CARNOT_OK);
  EXPECT(carnot_window_end(outer, &again) == CARNOT_OK);
  EXPECT(memcmp(&a, &again, sizeof a) == 0);
  sound(&a.machine);
  sound(&a.own);
  sound(&b.machine);
  EXPECT(a.machine.energy_j >= b.machine.energy_j);
  EXPECT(a.own.energy_j <= a.machine.energy_j * (1 + 1e-9));
  EXPECT(fabs(a.exclusive.energy_j + b.exclusive.energy_j - a.own.energy_j) <=
         1e-9 * a.own.energy_j);
  EXPECT(a.duration_s >= b.duration_s && b.duration_s >= 0.02);
  EXPECT(a.cpu_s >= 0.04 && b.cpu_s >= 0.02);
  EXPECT(a.overlapped && b.overlapped);
  causes_of(outer, CARNOT_MACHINE, &a.machine);
  causes_of(outer, CARNOT_OWN, &a.own);
  causes_of(outer, CARNOT_EXCLUSIVE, &a.exclusive);
  EXPECT(carnot_window_causes(outer, CARNOT_CHANNEL + carnot_meter_channel_count(meter), NULL, 0,
                              &i) == CARNOT_BAD_INPUT);
  EXPECT(carnot_window_channels(outer, channels, 8) == CARNOT_OK);
  causes_of(outer, CARNOT_CHANNEL, &channels[0]);
  for (i = 0; i < carnot_meter_channel_count(meter) && i < 8; ++i)
    EXPECT(channels[i].energy_j >= 0);
  carnot_window_free(inner);
  carnot_window_free(outer);
  carnot_window_free(NULL);
}

static void misuse(carnot_meter *meter) {
  carnot_window *window = NULL;
  carnot_window_result result = {0};
  carnot_meter *none = NULL;
  carnot_meter_options options = {0};
  carnot_channel channel;
  EXPECT(carnot_meter_open(NULL, NULL) == CARNOT_BAD_INPUT);
  EXPECT(strlen(carnot_last_error()) > 0);
  EXPECT(carnot_window_begin(NULL, "", CARNOT_SCOPE_THREAD, CARNOT_STATIC_CAPACITY, &window) ==
         CARNOT_BAD_INPUT);
  EXPECT(carnot_window_begin(meter, "", (carnot_scope)7, CARNOT_STATIC_CAPACITY, &window) ==
         CARNOT_BAD_INPUT);
  EXPECT(strstr(carnot_last_error(), "scope") != NULL);
  EXPECT(window == NULL);
  EXPECT(carnot_meter_channel(meter, 1000000, &channel) == CARNOT_BAD_INPUT);
  EXPECT(carnot_window_begin(meter, "", CARNOT_SCOPE_PROCESS, CARNOT_STATIC_CAPACITY, &window) ==
         CARNOT_OK);
  EXPECT(carnot_window_look(window, &result) == CARNOT_BAD_INPUT); /* size was not set */
  EXPECT(carnot_window_look(window, NULL) == CARNOT_BAD_INPUT);
  carnot_window_free(window); /* never ended */
  options.size = sizeof options;
  options.sysfs_root = options.dev_root = "/nonexistent";
  options.nvml = options.amd_smi = "none";
  options.no_model = 1;
  EXPECT(carnot_meter_open(&options, &none) == CARNOT_FAILED);
  EXPECT(none == NULL && strlen(carnot_last_error()) > 0);
  carnot_meter_close(NULL);
}

/* A caller from before a struct grew: only what it knows is read and written. */
static void older_callers(carnot_meter *meter) {
  struct {
    carnot_window_result result;
    char beyond[16];
  } guarded;
  carnot_window *window = NULL;
  memset(&guarded, 0x5a, sizeof guarded);
  guarded.result.size = offsetof(carnot_window_result, own);
  EXPECT(carnot_window_begin(meter, "", CARNOT_SCOPE_PROCESS, CARNOT_STATIC_CAPACITY, &window) ==
         CARNOT_OK);
  burn(0.01);
  EXPECT(carnot_window_end(window, &guarded.result) == CARNOT_OK);
  sound(&guarded.result.machine);
  EXPECT(((unsigned char *)&guarded.result.own)[0] == 0x5a);
  EXPECT(guarded.beyond[0] == 0x5a);
  carnot_window_free(window);
}

static void accounts(void) {
  const carnot_energy energy = {3.6e6, 3.0e6, 4.0e6, CARNOT_MEASURED, CARNOT_NODE};
  carnot_account_options options = {0};
  carnot_account_result result = {0};
  carnot_cause causes[16];
  size_t count = 0;
  options.size = sizeof options;
  options.carbon_g_per_kwh = 400.0;
  options.pue = 1.5;
  result.size = sizeof result;
  EXPECT(carnot_account(&energy, 1.7e9, 60.0, &options, &result) == CARNOT_OK);
  EXPECT(fabs(result.carbon_g - 600.0) < 1e-6);
  EXPECT(result.carbon_low_g < result.carbon_g && result.carbon_g < result.carbon_high_g);
  EXPECT(fabs(result.facility.energy_j - 5.4e6) < 1e-3);
  EXPECT(result.facility.boundary == CARNOT_FACILITY);
  EXPECT(carnot_account_causes(&energy, 1.7e9, 60.0, &options, CARNOT_ACCOUNT_CARBON, causes, 16,
                               &count) == CARNOT_OK);
  EXPECT(count >= 1 && fabs(width(causes, count, 1) -
                            (result.carbon_high_g - result.carbon_g)) <= 1e-9 * result.carbon_g);
  EXPECT(carnot_account_causes(&energy, 1.7e9, 60.0, &options, 4, causes, 16, &count) ==
         CARNOT_BAD_INPUT);
  EXPECT(carnot_account(&energy, 1.7e9, 60.0, NULL, &result) == CARNOT_OK);
  EXPECT(strcmp(result.grid_code, "WORLD") == 0);
  options.location = "Atlantis";
  EXPECT(carnot_account(&energy, 1.7e9, 60.0, &options, &result) == CARNOT_BAD_INPUT);
  EXPECT(carnot_account(&energy, 1.7e9, -1.0, NULL, &result) == CARNOT_BAD_INPUT);
}

int main(void) {
  carnot_meter *meter = NULL;
  size_t i;
  EXPECT(strlen(carnot_version()) >= 5);
  EXPECT(strcmp(carnot_origin_name(CARNOT_MODELLED), "modelled") == 0);
  EXPECT(strcmp(carnot_origin_name(17), "?") == 0);
  if (carnot_meter_open(NULL, &meter) != CARNOT_OK) {
    fprintf(stderr, "cannot open: %s\n", carnot_last_error());
    return 1;
  }
  EXPECT(carnot_meter_channel_count(meter) > 0);
  for (i = 0; i < carnot_meter_channel_count(meter); ++i) {
    carnot_channel c;
    EXPECT(carnot_meter_channel(meter, i, &c) == CARNOT_OK);
    EXPECT(strlen(c.id) > 0 && strlen(c.kind) > 0);
  }
  for (i = 0; i < carnot_meter_note_count(meter); ++i) {
    carnot_note n;
    EXPECT(carnot_meter_note(meter, i, &n) == CARNOT_OK);
    EXPECT(strlen(n.what) > 0 && strlen(n.why) > 0);
  }
  windows(meter);
  misuse(meter);
  older_callers(meter);
  carnot_meter_close(meter);
  accounts();
  return failures != 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "pytorch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/json.h"
#include "command.h"

char *rmx__pytorch_command(const struct rmx__batch *batch) {
  const char *python = getenv("REGMIX_PYTHON"), *file = getenv("REGMIX_PYTORCH");
  rmx_buf out = {0};
  rmx_put_shell(&out, python && *python ? python : "python3");
  rmx_buf_puts(&out, " ");
  rmx_put_shell(&out, file && *file ? file : "train.py");
  for (size_t i = 0; i < batch->n; i++) {
    RMX_OWNED char *folder = rmx_realpath(batch->runs[i].folder);
    rmx_buf_puts(&out, " ");
    rmx_put_shell(&out, folder ? folder : batch->runs[i].folder);
  }
  if (out.failed) rmx_buf_release(&out);
  return out.data;
}

// The last whole line of a log as a tree; NULL: there is none.
static json_t *last_line(const char *folder) {
  enum { TAIL = 1 << 16 };
  RMX_OWNED char *path = rmx_path_in(folder, "log.jsonl"), *text = rmx_calloc(TAIL + 1, 1);
  FILE *f = path && text ? rmx_fopen(path, "rb") : NULL;
  if (!f) return NULL;
  if (fseek(f, -TAIL, SEEK_END) != 0) rewind(f);  // a short log
  const size_t n = fread(text, 1, TAIL, f);
  fclose(f);
  char *end = n ? memrchr(text, '\n', n) : NULL;
  if (!end) return NULL;
  char *before = end > text ? memrchr(text, '\n', (size_t)(end - text)) : NULL;
  const char *line = before ? before + 1 : text;
  return json_loadb(line, (size_t)(end - line), 0, NULL);
}

void rmx__pytorch_progress(const struct rmx__batch *batch, rmx_train_state *out) {
  *out = (rmx_train_state){0};
  size_t losses = 0;
  for (size_t i = 0; i < batch->n; i++) {
    const rmx_run *r = &batch->runs[i];
    json_auto_t *line = last_line(r->folder);
    const json_t *loss = json_object_get(line, "loss_nats");
    out->steps += rmx_training_steps(&r->training);
    out->step += json_integer_value(json_object_get(line, "step"));
    out->tokens += json_integer_value(json_object_get(line, "tokens"));
    if (json_is_number(loss)) losses++, out->loss_nats += json_number_value(loss);
  }
  if (losses) out->loss_nats /= (double)losses;
}

char *rmx__pytorch_file(const char *program) {
  static const char *const places[] = {"share/regmix/trainers/pytorch/train.py",
                                       "trainers/pytorch/train.py"};
  RMX_OWNED char *real = rmx_realpath(program);
  const char *slash = real ? strrchr(real, '/') : NULL;
  for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
    RMX_OWNED char *path = rmx_format("%.*s/../%s", (int)(slash - real), real, places[i]);
    if (path && rmx_exists(path)) return rmx_realpath(path);
  }
  return NULL;
}

// Finds PyTorch and prints its version, without the seconds that an import takes.
static const char look_for_torch[] =
    "import importlib.util, os, sys\n"
    "sys.path = [p for p in sys.path if p]\n"  // not this folder
    "spec = importlib.util.find_spec('torch')\n"
    "if not spec or not spec.origin: sys.exit(3)\n"
    "file, found = os.path.join(os.path.dirname(spec.origin), 'version.py'), {}\n"
    "if os.path.exists(file): exec(open(file).read(), found)\n"
    "print('torch', found.get('__version__', ''))";
static const char torch_word[] = "torch ";

static bool is_too_old(const char *version) {
  int major, minor;
  return sscanf(version, "%d.%d", &major, &minor) == 2 && (major < 1 || (major == 1 && minor < 13));
}

// REGMIX_DEVICE, as train.py reads it, and whether this machine has a driver for it at all.
static rmx_status check_device(rmx_err *err) {
  static const char *const drivers[] = {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvhost-ctrl",
                                        "/dev/dxg", "/dev/kfd"};
  const char *name = getenv("REGMIX_DEVICE");
  if (!name || !*name || strcmp(name, "cpu") == 0) return RMX_OK;
  const bool cuda = strncmp(name, "cuda", 4) == 0, numbered = cuda && name[4] == ':';
  const char *digits = name + 5;
  const size_t n = numbered ? strspn(digits, "0123456789") : 0;
  if (!cuda || (name[4] && !(numbered && n && n <= 4 && !digits[n])))
    return rmx_fail(err, RMX_EINPUT,
                    "trainer: pytorch: REGMIX_DEVICE in the environment is \"%s\"; wanted cpu, "
                    "cuda, or cuda:1, cuda:2, ...",
                    name);
  for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
    if (access(drivers[i], F_OK) == 0) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "trainer: pytorch: REGMIX_DEVICE in the environment is %s, but this machine has "
                  "no CUDA device (`nvidia-smi` would list it). Set it to cpu, which is slow, or "
                  "unset it and work on a machine with a GPU",
                  name);
}

rmx_status rmx__pytorch_check(rmx_err *err) {
  enum { TIMEOUT_S = 60, NO_TORCH = 3 };
  const char *file = getenv("REGMIX_PYTORCH"), *given = getenv("REGMIX_PYTHON");
  const char *python = given && *given ? given : "python3";
  if (file && *file) return RMX_OK;
  RMX_TRY(check_device(err));
  const char *const argv[] = {python, "-c", look_for_torch, NULL};
  RMX_OWNED_BY(rmx__reply_release) struct rmx__reply reply = {0};
  if (rmx__call(argv, TIMEOUT_S, &reply, err) != RMX_OK)
    return err->status == RMX_EINTERRUPTED
               ? err->status
               : rmx_fail_in(err,
                             "trainer: pytorch (REGMIX_PYTHON in the environment names the python "
                             "that has PyTorch)");
  const char *version = rmx__reply_text(&reply);
  if (reply.code == NO_TORCH)
    return rmx_fail(err, RMX_EINPUT,
                    "trainer: pytorch: %s has no PyTorch. Set REGMIX_PYTHON in the environment "
                    "to the python that has it, or install it (Debian: apt-get install "
                    "python3-torch; others: https://pytorch.org)",
                    python);
  if (reply.missing || reply.timed_out || reply.code != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "trainer: pytorch: cannot start %s: %s. Set REGMIX_PYTHON in the environment "
                    "to the python that has PyTorch",
                    python, rmx__reply_why(&reply));
  if (strncmp(version, torch_word, sizeof torch_word - 1) != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "trainer: pytorch: %s is not a python, since it does not answer as one. Set "
                    "REGMIX_PYTHON in the environment to the python that has PyTorch",
                    python);
  version += sizeof torch_word - 1;
  if (is_too_old(version))
    return rmx_fail(err, RMX_EINPUT,
                    "trainer: pytorch: %s has PyTorch %.*s; wanted 1.13 or newer. Install a newer "
                    "one, or set REGMIX_PYTHON in the environment to a python that has one",
                    python, (int)strcspn(version, "\n"), version);
  return RMX_OK;
}

// Device `i` of the list that the caller of this program gave; NULL: the list is shorter.
static char *listed(int i) {
  const char *at = getenv("CUDA_VISIBLE_DEVICES");
  for (; at && *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
    if (i-- == 0) return rmx_format("%.*s", (int)strcspn(at, ","), at);
  return NULL;
}

static bool has_gpu(int i) {
  char path[40];
  snprintf(path, sizeof path, "/dev/nvidia%d", i);
  return access(path, F_OK) == 0;
}

int rmx__pytorch_gpus(void) {
  const bool given = getenv("CUDA_VISIBLE_DEVICES") != NULL;
  int n = 0;
  for (char *name; given && (name = listed(n)); n++) free(name);
  while (!given && has_gpu(n)) n++;
  return n ? n : 1;
}

char *rmx__pytorch_gpu(int slot) {
  const int i = slot % rmx__pytorch_gpus();
  if (getenv("CUDA_VISIBLE_DEVICES")) return listed(i);
  return has_gpu(i) ? rmx_format("%d", i) : NULL;
}

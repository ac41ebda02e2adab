// SPDX-License-Identifier: Apache-2.0
// Completion of the command line. The shells ask `regmix complete -- WORD...` for what the last
// word could become, so that one table, the options' own, serves all of them; `regmix completion
// SHELL` prints the few lines that ask.
#include <regmix/baselines.h>
#include <regmix/export.h>
#include <regmix/model.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

// ---- the script of a shell

static const char bash_script[] =
    "# regmix(1) completion: bash\n"
    "_regmix() {\n"
    "  local words=() word rest before i\n"
    "  for ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "    word=${COMP_WORDS[i]}\n"
    "    if ((${#words[@]} > 0)) && [[ $word == [=:]* || ${COMP_WORDS[i - 1]} == [=:] ]]; then\n"
    "      words[${#words[@]} - 1]+=$word  # bash splits at = and :\n"
    "    else\n"
    "      words+=(\"$word\")\n"
    "    fi\n"
    "  done\n"
    "  word=${words[${#words[@]} - 1]}\n"
    "  before=${word%\"${word##*[=:]}\"}\n"
    "  COMPREPLY=()\n"
    "  while IFS=$'\\t' read -r word rest; do\n"
    "    case $word in\n"
    "      :files) compopt -o filenames; COMPREPLY+=($(compgen -f -- \"${words[${#words[@]} - "
    "1]#\"$before\"}\")) ;;\n"
    "      :folders) compopt -o filenames; COMPREPLY+=($(compgen -d -- \"${words[${#words[@]} - "
    "1]#\"$before\"}\")) ;;\n"
    "      *=) compopt -o nospace; COMPREPLY+=(\"${word#\"$before\"}\") ;;\n"
    "      *) COMPREPLY+=(\"${word#\"$before\"}\") ;;\n"
    "    esac\n"
    "  done < <(\"${COMP_WORDS[0]/#\\~/$HOME}\" complete -- \"${words[@]}\" 2> /dev/null)\n"
    "}\n"
    "complete -F _regmix regmix\n";

static const char zsh_script[] =
    "#compdef regmix\n"
    "# regmix(1) completion: zsh\n"
    "_regmix() {\n"
    "  local line word\n"
    "  local -a plain open shown\n"
    "  for line in \"${(@f)$(${~words[1]} complete -- \"${(@)words[2,CURRENT]}\" 2> /dev/null)}\"; "
    "do\n"
    "    word=${line%%$'\\t'*}\n"
    "    case $word in\n"
    "      '') ;;\n"
    "      :files) compset -P '*='; _files ;;\n"
    "      :folders) compset -P '*='; _files -/ ;;\n"
    "      *=) open+=(\"$word\") ;;\n"
    "      *) plain+=(\"$word\"); shown+=(\"${word}  ${line#*$'\\t'}\") ;;\n"
    "    esac\n"
    "  done\n"
    "  (( $#open )) && compadd -Q -S '' -- \"${open[@]}\"\n"
    "  (( $#plain )) && compadd -Q -l -d shown -- \"${plain[@]}\"\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _regmix ]; then _regmix \"$@\"; else compdef _regmix regmix; fi\n";

static const char fish_script[] =
    "# regmix(1) completion: fish\n"
    "function __regmix_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -l head (string match -r '.*=' -- $words[-1])\n"
    "    set -l begun (string replace -r '.*=' '' -- $words[-1])\n"
    "    set -l program (string replace -r '^~' $HOME -- $words[1])\n"
    "    for line in ($program complete -- $words[2..-1] 2> /dev/null)\n"
    "        switch $line\n"
    "            case ':files*'\n"
    "                for path in (__fish_complete_path \"$begun\")\n"
    "                    echo \"$head$path\"\n"
    "                end\n"
    "            case ':folders*'\n"
    "                for path in (__fish_complete_directories \"$begun\")\n"
    "                    echo \"$head$path\"\n"
    "                end\n"
    "            case '*'\n"
    "                echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c regmix -f -a '(__regmix_complete)'\n";

static const struct {
  const char *shell, *script;
} shells[] = {
    {"bash", bash_script},
    {"zsh", zsh_script},
    {"fish", fish_script},
};

static rmx_status run_completion(cli *c, rmx_err *err) {
  const char *shell = c->words.n ? c->words.items[0] : "bash";
  for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
    if (strcmp(shell, shells[i].shell) != 0) continue;
    if (c->common.json)
      cli_print_json(json_pack("{s:s}", "text", shells[i].script));
    else
      fputs(shells[i].script, stdout);
    return RMX_OK;
  }
  return rmx_fail(err, RMX_EUSAGE, "there is completion for bash, zsh and fish, not for \"%s\"",
                  shell);
}

// ---- what a word could become

struct offer {
  json_t *list;        // of --json, else NULL
  const char *word;    // begun
  const char *before;  // put before each candidate ("--to=")
};

static void offer(const struct offer *o, const char *head, const char *name, const char *tail,
                  const char *help) {
  char *whole = rmx_format("%s%s%s%s", o->before, head, name, tail);
  if (whole && strncmp(whole, o->word, strlen(o->word)) == 0) {
    if (o->list)
      json_array_append_new(o->list, json_string(whole));
    else
      printf("%s\t%s\n", whole, help ? help : "");
  }
  free(whole);
}

static void offer_files(const struct offer *o, bool folders) {
  if (o->list)
    json_array_append_new(o->list, json_string(folders ? ":folders" : ":files"));
  else
    puts(folders ? ":folders" : ":files");
}

// "ridge|trees|auto", each behind `head`.
static void offer_choices(const struct offer *o, const char *head, const char *choices) {
  while (*choices) {
    const size_t n = strcspn(choices, "|");
    char *one = rmx_format("%.*s", (int)n, choices);
    if (one) offer(o, head, one, "", NULL);
    free(one);
    choices += n + (choices[n] == '|');
  }
}

static void offer_methods(const struct offer *o, const char *head) {
  for (size_t i = 0; i < rmx_baselines_n; i++)
    offer(o, head, rmx_baselines[i]->name, "", rmx_baselines[i]->help);
}

static void offer_mixtures(const struct offer *o, const char *head) {
  offer_choices(o, head, "prior|uniform|best_single|best_run|single:");
}

static void offer_levels(const struct offer *o, const char *head) {
  const char *names[16];
  const size_t n = rmx_kernels_available(names, sizeof names / sizeof *names);
  offer(o, head, "auto", "", "the best this processor has");
  for (size_t i = 0; i < n; i++) offer(o, head, names[i], "", NULL);
}

static void offer_presets(const struct offer *o, const char *head) {
  for (size_t i = 0; i < rmx_model_presets_n; i++)
    offer(o, head, rmx_model_presets[i].name, "", NULL);
}

static void offer_formats(const struct offer *o, const char *head) {
#define FORMAT(name, needs, help) offer(o, head, name, "", help);
  RMX_EXPORT_FORMATS(FORMAT)
#undef FORMAT
}

static void offer_regressors(const struct offer *o, const char *head) {
  offer_choices(
      o, head,
      rmx_option_find(rmx_regress_option_table, rmx_regress_option_table_n, "fit.regressor")
          ->choices);
}

static void offer_settings(const struct offer *o, const char *head);

// Options whose values are names that the program knows; the last part of a config key is looked up
// here too.
static const struct {
  const char *key;
  void (*offer)(const struct offer *o, const char *head);
} values[] = {
    {"set", offer_settings},     {"to", offer_formats},       {"regressor", offer_regressors},
    {"isa", offer_levels},       {"model", offer_presets},    {"methods", offer_methods},
    {"mixture", offer_mixtures}, {"against", offer_mixtures},
};

static bool takes_file(const rmx_option *o) {
  return o->choices && strstr(o->choices, "FILE");
}

// The values of an option, `key` being its name's last part.
static void offer_values(const struct offer *o, const char *head, const char *key,
                         const rmx_option *option) {
  if (option->type == RMX_BOOL)
    offer_choices(o, head, "true|false");
  else if (option->type == RMX_CHOICE)
    offer_choices(o, head, option->choices);
  else
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
      if (strcmp(values[i].key, key) == 0) values[i].offer(o, head);
  if (takes_file(option))
    offer_files(o, false);
  else if (option->choices && strcmp(option->choices, "DIR") == 0)
    offer_files(o, true);
}

static const char *last_part(const char *key) {
  return strrchr(key, '.') ? strrchr(key, '.') + 1 : key;
}

// Keys of the config, and behind "=" their values.
static void offer_settings(const struct offer *o, const char *head) {
  for (size_t i = 0; i < rmx_config_sections_n; i++)
    for (size_t j = 0; j < *rmx_config_sections[i].n; j++) {
      const rmx_section *s = &rmx_config_sections[i];
      char key[128];
      snprintf(key, sizeof key, "%s%s%s=", s->prefix, *s->prefix ? "." : "", s->table[j].key);
      const char *typed = o->word + strlen(o->before);
      if (strncmp(typed, key, strlen(key)) == 0)
        offer_values(o, key, last_part(s->table[j].key), &s->table[j]);
      else
        offer(o, head, key, "", s->table[j].help);
    }
}

static const rmx_option *option_named(const cli_command *c, const char *name, size_t n) {
  const struct {
    const rmx_option *table;
    size_t n;
  } both[] = {{c->options, c->n_options}, {cli_common_options, cli_common_options_n}};
  if (n == 2 && strncmp(name, "-C", 2) == 0) return option_named(c, "--experiment", 12);
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < both[k].n; i++)
      if (n > 2 && strlen(both[k].table[i].key) == n - 2 &&
          strncmp(both[k].table[i].key, name + 2, n - 2) == 0)
        return &both[k].table[i];
  return NULL;
}

static void offer_options(const struct offer *o, const rmx_option *table, size_t n) {
  for (size_t i = 0; i < n; i++) offer(o, "--", table[i].key, "", table[i].help);
}

static void offer_commands(const struct offer *o) {
  for (size_t i = 0; i < cli_commands_n; i++)
    if (!cli_commands[i]->hidden) offer(o, "", cli_commands[i]->name, "", cli_commands[i]->summary);
}

// What a word that is no option may be: as the command's help writes it.
static void offer_words(const struct offer *o, const cli_command *c) {
  if (strstr(c->words, "COMMAND")) {
    offer_commands(o);
    if (strstr(c->words, "config")) offer(o, "", "config", "", "the keys of regmix.yaml");
  } else if (strstr(c->words, "bash")) {
    offer_choices(o, "", "bash|zsh|fish");
  } else if (strstr(c->words, "DIR") || strstr(c->words, "FOLDER")) {
    offer_files(o, true);
  } else if (*c->words) {
    offer_files(o, false);
  }
}

static void complete(struct offer *o, const rmx_strings *line) {
  const cli_command *c = line->n > 1 ? cli_find(line->items[0]) : NULL;
  if (line->n < 2) {
    offer_commands(o);
    offer_choices(o, "", "--help|--version");
    return;
  }
  if (!c) return;
  const char *last = line->items[line->n - 2], *equals = strchr(o->word, '=');
  const rmx_option *option =
      last[0] == '-' && !strchr(last, '=') ? option_named(c, last, strlen(last)) : NULL;
  if (option && option->type != RMX_BOOL) {
    offer_values(o, "", option->key, option);
  } else if (o->word[0] == '-' && equals) {
    char *head = rmx_format("%.*s", (int)(equals - o->word + 1), o->word);
    if (head && (option = option_named(c, o->word, (size_t)(equals - o->word)))) {
      o->before = head;
      offer_values(o, "", option->key, option);
      o->before = "";
    }
    free(head);
  } else if (o->word[0] == '-') {
    offer_options(o, c->options, c->n_options);
    offer_options(o, cli_common_options, cli_common_options_n);
    offer(o, "--", "help", "", "what the command does");
  } else {
    offer_words(o, c);
  }
}

static rmx_status run_complete(cli *c, rmx_err *err) {
  struct offer o = {.list = c->common.json ? json_array() : NULL,
                    .word = c->words.n ? c->words.items[c->words.n - 1] : "",
                    .before = ""};
  complete(&o, &c->words);
  if (c->common.json) cli_print_json(json_pack("{s:o}", "candidates", o.list));
  return RMX_OK;
}

const cli_command cli_completion = {
    .name = "completion",
    .words = "[bash|zsh|fish]",
    .most_words = 1,
    .run = run_completion,
    .hidden = true,
    .summary = "print the completion script of a shell",
    .examples = "  source <(regmix completion bash)\n",
};
const cli_command cli_complete = {
    .name = "complete",
    .words = "[WORD...]",
    .most_words = 100000,
    .run = run_complete,
    .hidden = true,
    .summary = "print what the last word of a command line could become, one candidate a line",
    .examples = "  regmix complete -- fit --reg\n",
};

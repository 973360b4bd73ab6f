# Reference values of the test of proportional hazards, baseline hazards and survival of patients.
# Package survival. Run in this folder: Rscript proportional_hazards.R
# Reads survival_input.csv (made by survival.R).
suppressMessages(library(survival))

digits <- function(x) ifelse(is.na(x), "nan", sprintf("%.17g", x))
rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = seq_along(value) - 1,
                                          value = as.vector(value))
}
save_long <- function(file) {
  table <- do.call(rbind, rows)
  table$value <- digits(table$value)
  write.csv(table, file, row.names = FALSE, quote = FALSE)
  rows <<- list()
}
d <- read.csv("survival_input.csv")
d$kind <- factor(d$group)
d$flat <- ifelse(d$stratum == "c", 0, d$x1^2)
tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15)
models <- list(
  one = Surv(time, event) ~ x1,
  three = Surv(time, event) ~ x1 + x2 + x3,
  strata = Surv(time, event) ~ x1 + x2 + x3 + strata(stratum),
  flat = Surv(time, event) ~ x1 + flat + strata(stratum)
)
for (ties in c("efron", "breslow")) {
  for (key in names(models)) {
    fit <- coxph(models[[key]], d, ties = ties, control = tight)
    for (transform in c("km", "identity", "rank", "log")) {
      found <- cox.zph(fit, transform = transform, terms = FALSE)
      model <- paste(key, ties, transform, sep = "_")
      add(model, "statistic", found$table[, "chisq"])
      add(model, "p", found$table[, "p"])
      if (transform == "km" && model %in% c("three_efron_km", "one_breslow_km", "flat_efron_km")) {
        # Row by row, as the other side holds them.
        add(model, "residuals", t(found$y))
        add(model, "time", found$time)
        add(model, "transformed", found$x)
      }
    }
  }
  found <- cox.zph(coxph(Surv(time, event) ~ kind + x1, d, ties = ties, control = tight))
  add(paste("terms", ties, sep = "_"), "statistic", found$table[, "chisq"])
  add(paste("terms", ties, sep = "_"), "df", found$table[, "df"])
}
save_long("proportional_hazards.csv")

patients <- data.frame(x1 = c(-1, 0.3, 2), x2 = c(0.5, -1.5, 0), x3 = c(0, 1, 1))
asked <- c(1, 3.5, 6, 9)
for (ties in c("efron", "breslow")) {
  for (key in c("one", "three", "strata")) {
    fit <- coxph(models[[key]], d, ties = ties, control = tight)
    model <- paste(key, ties, sep = "_")
    base <- basehaz(fit, centered = FALSE)
    if (key == "strata") {
      for (s in c("a", "b", "c")) {
        part <- base[base$strata == s, ]
        add(model, paste0("time_", s), part$time)
        add(model, paste0("hazard_", s), part$hazard)
        # Patients of one stratum at a time.
        rows_of <- patients
        rows_of$stratum <- s
        for (i in 1:3) {
          one <- survfit(fit, rows_of[i, ], conf.type = "log")
          found <- summary(one, times = asked)
          add(paste(model, s, i, sep = "_"), "survival", found$surv)
          add(paste(model, s, i, sep = "_"), "low", found$lower)
          add(paste(model, s, i, sep = "_"), "high", found$upper)
        }
      }
    } else {
      add(model, "time", base$time)
      add(model, "hazard", base$hazard)
      for (i in 1:3) {
        one <- survfit(fit, patients[i, ], conf.type = "log")
        found <- summary(one, times = asked)
        add(paste(model, i, sep = "_"), "survival", found$surv)
        add(paste(model, i, sep = "_"), "low", found$lower)
        add(paste(model, i, sep = "_"), "high", found$upper)
      }
    }
  }
}
save_long("baseline_hazard.csv")

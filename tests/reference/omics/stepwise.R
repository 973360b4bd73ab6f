# Reference values of stepwise Cox regression, from step(), add1() and drop1() of R with the package
# survival. Run in this folder: Rscript stepwise.R
# Reads the cohorts of ../stats/subset_search_input.csv and writes stepwise.csv.
suppressMessages(library(survival))
input <- read.csv("../stats/subset_search_input.csv")
genes <- paste0("g", 1:12)

rows <- list()
note <- function(model, fit) {
  value <- coef(fit)
  rows[[length(rows) + 1]] <<- data.frame(
    model, gene = names(value), coef = sprintf("%.17g", value),
    log_likelihood = sprintf("%.17g", tail(fit$loglik, 1))
  )
}
tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15)
for (strata in c(FALSE, TRUE)) {
  base <- if (strata) c(genes, "strata(cohort)") else genes
  none <- if (strata) Surv(time, event) ~ strata(cohort) else Surv(time, event) ~ 1
  where <- if (strata) "strata" else "plain"
  all <- coxph(reformulate(base, "Surv(time, event)"), input, control = tight)
  empty <- coxph(none, input, control = tight)
  lower <- if (strata) ~strata(cohort) else ~1
  for (criterion in c("aic", "bic")) {
    k <- if (criterion == "aic") 2 else log(sum(input$event))
    scope <- list(lower = lower, upper = reformulate(base))
    note(paste("forward", criterion, where, sep = "_"),
         step(empty, scope, direction = "forward", k = k, trace = 0))
    note(paste("both", criterion, where, sep = "_"),
         step(empty, scope, direction = "both", k = k, trace = 0))
    note(paste("backward", criterion, where, sep = "_"),
         step(all, scope, direction = "backward", k = k, trace = 0))
  }
  # By p-value of the likelihood ratio test, one gene at a time.
  inside <- character(0)
  repeat {
    fit <- coxph(reformulate(c(inside, if (strata) "strata(cohort)" else "1"),
                             "Surv(time, event)"), input, control = tight)
    outside <- setdiff(genes, inside)
    p <- sapply(outside, function(g) anova(fit, update(fit, paste(". ~ . +", g)))[2, 4])
    if (min(p) > 0.05) break
    inside <- c(inside, outside[which.min(p)])
  }
  note(paste("forward_p", where, sep = "_"), fit)
  inside <- genes
  repeat {
    fit <- coxph(reformulate(c(inside, if (strata) "strata(cohort)"), "Surv(time, event)"),
                 input, control = tight)
    p <- sapply(inside, function(g) anova(update(fit, paste(". ~ . -", g)), fit)[2, 4])
    if (max(p) <= 0.1) break
    inside <- inside[-which.max(p)]
  }
  note(paste("backward_p", where, sep = "_"), fit)
}
write.csv(do.call(rbind, rows), "stepwise.csv", row.names = FALSE, quote = FALSE)

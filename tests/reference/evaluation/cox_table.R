# Reference values of tables of Cox models and of subgroups. Package survival.
# Run in this folder: Rscript cox_table.R
# Writes its own simulated input (cox_table_input.csv) and what R says of it.
suppressMessages(library(survival))
set.seed(20240610)

digits <- function(x) ifelse(is.na(x), "nan", sprintf("%.17g", x))
rows <- list()
add <- function(model, term, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, term, name, value = as.vector(value))
}
n <- 220
age <- round(rnorm(n, 60, 10))
stage <- sample(c("I", "II", "III"), n, replace = TRUE, prob = c(0.25, 0.45, 0.3))
cirrhosis <- runif(n) < 0.4
marker <- round(rnorm(n), 3)
death <- rexp(n, 0.03 * exp(0.02 * (age - 60) + 0.6 * (stage == "III") + 0.4 * marker * cirrhosis))
end <- runif(n, 6, 60)
time <- ceiling(pmin(death, end))
event <- as.integer(death <= end)
input <- data.frame(time, event, age, stage, cirrhosis, marker)
input$age[c(3, 50)] <- NA
input$stage[7] <- ""
write.csv(input, "cox_table_input.csv", row.names = FALSE, quote = FALSE, na = "")

d <- input
d$stage[d$stage == ""] <- NA
d$stage <- factor(d$stage, levels = c("II", "I", "III"))
tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15)
write_model <- function(model, fit) {
  found <- summary(fit)
  for (term in rownames(found$coefficients)) {
    add(model, term, "hazard_ratio", found$conf.int[term, 1])
    add(model, term, "low", found$conf.int[term, 3])
    add(model, term, "high", found$conf.int[term, 4])
    add(model, term, "p", found$coefficients[term, "Pr(>|z|)"])
  }
  dropped <- drop1(fit, test = "Chisq")
  zph <- cox.zph(fit)$table
  for (variable in rownames(dropped)[-1]) {
    add(model, variable, "p_variable", dropped[variable, "Pr(>Chi)"])
    add(model, variable, "p_proportional", zph[variable, "p"])
  }
}
for (variable in c("age", "stage", "cirrhosis", "marker")) {
  right <- as.formula(paste("Surv(time, event) ~", variable))
  write_model("univariable", coxph(right, d[!is.na(d[[variable]]), ], control = tight))
}
complete <- d[complete.cases(d), ]
write_model("multivariable",
            coxph(Surv(time, event) ~ age + stage + cirrhosis + marker, complete, control = tight))

# Subgroups: the marker per standard deviation, and high against low.
d$per_sd <- (d$marker - mean(d$marker)) / sd(d$marker)
d$high <- d$marker > 0.5
for (covariate in c("per_sd", "high")) {
  d$x <- as.numeric(d[[covariate]])
  alone <- function(term, part) {
    found <- summary(coxph(Surv(time, event) ~ x, part, control = tight))
    add(covariate, term, "hazard_ratio", found$conf.int[1])
    add(covariate, term, "low", found$conf.int[3])
    add(covariate, term, "high", found$conf.int[4])
    add(covariate, term, "p", found$coefficients[1, 5])
    add(covariate, term, "n", nrow(part))
    add(covariate, term, "events", sum(part$event))
  }
  alone("all patients", d)
  for (factor in c("stage", "cirrhosis")) {
    part <- d[!is.na(d[[factor]]), ]
    part$f <- factor(part[[factor]])
    for (one in levels(part$f)) alone(paste0(factor, ": ", one), part[part$f == one, ])
    tested <- anova(coxph(Surv(time, event) ~ x + f, part, control = tight),
                    coxph(Surv(time, event) ~ x * f, part, control = tight))
    add(covariate, factor, "p_interaction", tested[2, grep("^P|Pr", colnames(tested))])
  }
}
table <- do.call(rbind, rows)
table$value <- digits(table$value)
write.csv(table, "cox_table.csv", row.names = FALSE, quote = FALSE)
